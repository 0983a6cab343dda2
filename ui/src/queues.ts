// Entry of the queues in a window of their own.

import { start } from './shared/start';
import QueuesWindow from './views/QueuesWindow.svelte';

void start(QueuesWindow);
