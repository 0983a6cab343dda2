// Entry of the pop-up for an incoming call.

import { start } from './shared/start';
import Incoming from './views/Incoming.svelte';

void start(Incoming);
