// The account form: what stands in it at first, and what is missing before it can be tested or kept.

import type { AccountForm, AccountView, DiscoveredAccount, ExchangeForm, MediaForm } from '../../bindings';

export type Field = keyof Omit<AccountForm, 'id' | 'transport' | 'discovered' | 'control_only' | 'exchange' | 'media'>;

/** A field of the ways that sound may take. */
export type MediaField = 'stun' | 'turn' | 'turn_user' | 'turn_password';

/** What is wrong with a field: nothing stands in it, the address lacks a server, or what stands there is none. */
export type Lack = 'required' | 'server_needed' | 'no_server';

/** How a STUN server and a relay look. Whether there is one is for the program to find out. */
const STUN = /^(stun:)?[^\s@;?/]+$/;
const TURN = /^(turns?:)?[^\s@;?/]+(\?transport=(udp|tcp))?$/;

export function blankForm(): AccountForm {
  return {
    id: null,
    display_name: '',
    user: '',
    server: '',
    auth_user: '',
    password: '',
    transport: 'auto',
    outbound_proxy: '',
    exchange: { kind: 'none' },
    media: { encryption: 'off', keying: 'sdes', silence_suppression: false, ice: false, stun: '', turn: '', turn_user: '', turn_password: '' },
  };
}

/** The form for an account that exists; the password is never known to the page. */
export function formOf(account: AccountView): AccountForm {
  const { id, display_name, server, auth_user, outbound_proxy, transport } = account;
  const user = account.aor.replace(/^sips?:/, '');
  const exchange: ExchangeForm = account.exchange === null ? { kind: 'none' } : { ...account.exchange, password: '' };
  const { encryption, keying, silence_suppression, ice, stun, turn, turn_user } = account.media;
  const media: MediaForm = { encryption, keying, silence_suppression, ice, stun, turn, turn_user, turn_password: '' };
  const form = { ...blankForm(), id, display_name, user, server, auth_user, outbound_proxy, transport, exchange, media };
  return account.control_only ? { ...form, control_only: true } : form;
}

/** The form of what automatic set-up found. Its passwords never come here: the token stands for them. */
export function formOfFound(found: DiscoveredAccount): AccountForm {
  const { display_name, user, server, auth_user, outbound_proxy, transport, token } = found;
  const { id, password } = blankForm();
  // Its exchange is among what was found.
  return { id, display_name, user, server, auth_user, password, transport, outbound_proxy, discovered: token };
}

/** What keeps the form from being sent. Whether the values are right is for the program to say. `knownRelay`: it has the password at the relay. */
export function lacks(form: AccountForm, known: boolean, knownRelay = false): Partial<Record<Field | MediaField, Lack>> {
  const found: Partial<Record<Field | MediaField, Lack>> = {};
  // Another telephone needs nothing of these.
  if (form.control_only === true) return found;
  if (form.user.trim() === '') found.user = 'required';
  else if (!form.user.includes('@') && form.server.trim() === '') found.server = 'server_needed';
  if (form.password === '' && !known) found.password = 'required';
  return { ...found, ...mediaLacks(form.media, knownRelay) };
}

function mediaLacks(media: MediaForm | undefined, known: boolean): Partial<Record<MediaField, Lack>> {
  // Without checks the servers are not used, and stay as they are.
  if (media?.ice !== true) return {};
  const found: Partial<Record<MediaField, Lack>> = {};
  const [stun, turn] = [media.stun.trim(), media.turn.trim()];
  if (stun !== '' && !STUN.test(stun)) found.stun = 'no_server';
  if (turn === '') return found;
  if (!TURN.test(turn)) found.turn = 'no_server';
  if (media.turn_user.trim() === '') found.turn_user = 'required';
  if (media.turn_password === '' && !known) found.turn_password = 'required';
  return found;
}

/** Whether the keys of encrypted sound would cross an unprotected connection. What is found by itself is not known before. */
export function keysExposed(form: AccountForm): boolean {
  return form.media !== undefined && form.media.encryption !== 'off' && (form.transport === 'udp' || form.transport === 'tcp');
}
