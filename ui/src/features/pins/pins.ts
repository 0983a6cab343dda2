// Pinned targets: a few that get callers all day, each with a number key.

import type { Pin } from '../../shared/layout.svelte';
import type { Entry } from '../search/model.svelte';

/** A pin as something that can be chosen. */
export const pinEntry = (pin: Pin): Entry => ({ key: `pin ${pin.target}`, icon: 'pin', mark: pin.line, detail: '', ...pin });

/** What is kept of somebody who is pinned. */
export const pinOf = ({ name, target, line, account }: Entry): Pin => ({ name, target, line, account });
