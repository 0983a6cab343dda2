// Entry of the main window.

import { start } from './shared/start';
import App from './views/App.svelte';

void start(App);
