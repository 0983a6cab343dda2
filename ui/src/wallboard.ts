// Entry of the wallboard.

import { start } from './shared/start';
import Wallboard from './views/Wallboard.svelte';

void start(Wallboard);
