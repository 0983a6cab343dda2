// The account form: what stands in it at first, and what is missing before it can be tested or kept.

import type { AccountForm, AccountView, DiscoveredAccount, ExchangeForm } from '../../bindings';

export type Field = keyof Omit<AccountForm, 'id' | 'transport' | 'discovered' | 'control_only' | 'exchange'>;

/** What is wrong with a field: nothing stands in it, or the address lacks a server. */
export type Lack = 'required' | 'server_needed';

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
  };
}

/** The form for an account that exists; the password is never known to the page. */
export function formOf(account: AccountView): AccountForm {
  const { id, display_name, server, auth_user, outbound_proxy, transport } = account;
  const user = account.aor.replace(/^sips?:/, '');
  const exchange: ExchangeForm = account.exchange === null ? { kind: 'none' } : { ...account.exchange, password: '' };
  const form = { ...blankForm(), id, display_name, user, server, auth_user, outbound_proxy, transport, exchange };
  return account.control_only ? { ...form, control_only: true } : form;
}

/** The form of what automatic set-up found. Its passwords never come here: the token stands for them. */
export function formOfFound(found: DiscoveredAccount): AccountForm {
  const { display_name, user, server, auth_user, outbound_proxy, transport, token } = found;
  const { id, password } = blankForm();
  // Its exchange is among what was found.
  return { id, display_name, user, server, auth_user, password, transport, outbound_proxy, discovered: token };
}

/** What keeps the form from being sent. Whether the values are right is for the program to say. */
export function lacks(form: AccountForm, known: boolean): Partial<Record<Field, Lack>> {
  const found: Partial<Record<Field, Lack>> = {};
  // Another telephone needs nothing of these.
  if (form.control_only === true) return found;
  if (form.user.trim() === '') found.user = 'required';
  else if (!form.user.includes('@') && form.server.trim() === '') found.server = 'server_needed';
  if (form.password === '' && !known) found.password = 'required';
  return found;
}
