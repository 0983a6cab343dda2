// Entry of the colleagues in a window of their own.

import { start } from './shared/start';
import LinesWindow from './views/LinesWindow.svelte';

void start(LinesWindow);
