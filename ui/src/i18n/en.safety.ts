// English, of where callers can be sent, and of what keeps people safe when they dial.

import type { Messages } from './nl';

export const targets: Messages['targets'] = {
  heading: (who) => `Where to at ${who}`,
  all: 'Numbers',
  direct: 'connects at once instead of consulting',
  does: (what, kind) => `${what}: ${kind}`,
  none: 'Only one number is known of this choice',
  noVoicemail: (who) => `No voicemail is known of ${who}`,
  kinds: {
    line: 'Extension', voicemail: 'Voicemail', mobile: 'Mobile', work: 'Work', home: 'Home', main: 'Main number', assistant: 'Assistant',
    other: 'Other number', queue: 'Queue', park: 'Park at', outside: 'Outside number',
    picked_up: 'Picked up for', retrieved: 'Retrieved from',
  },
  named: {
    line: (who) => who,
    voicemail: (who) => `voicemail of ${who}`,
    mobile: (who) => `${who} (mobile)`,
    work: (who) => `${who} (work)`,
    home: (who) => `${who} (home)`,
    main: (who) => `${who} (main number)`,
    assistant: (who) => `assistant of ${who}`,
    other: (who) => who,
    queue: (who) => `queue ${who}`,
    outside: (who) => `${who} (outside)`,
    picked_up: (who) => `picked up for ${who}`,
    retrieved: (who) => (who === '' ? 'retrieved call' : `retrieved from ${who}`),
  },
  park: (who) => (who === '' ? 'the parking lot' : `parking at ${who}`),
};

const dear = 'is a premium number: it costs more than an ordinary call.';

export const costs: Messages['costs'] = {
  heading: 'Costs',
  ask: (number, why) => `${number} ${why} Enter goes on, Esc does not.`,
  call: 'Call anyway',
  send: 'Transfer anyway',
  leave: 'Do not call',
  kinds: {
    premium: dear,
    adult: dear,
    amusement: dear,
    information: 'is a directory enquiry number: it costs more than an ordinary call.',
    personal_assistant: 'leads on to an unknown number: it may be expensive and is often used for fraud.',
    pager: 'is a pager: it may be expensive.',
    data: 'is a dial-in number: it may be expensive.',
    satellite: 'is a satellite telephone: it costs several euros a minute.',
    international_premium: 'is a premium number abroad: it may be expensive.',
    international: 'is a number abroad.',
    unknown: 'may cost more than an ordinary call.',
  },
  blockedHeading: 'Blocked',
  blocked: 'is not let out from your line by your company or operator. Your administrator can release it.',
  tryIt: 'Try anyway',
  rules: 'Ask first about',
  premium: 'Premium numbers and services',
  foreign: 'Numbers abroad',
  never: 'Never ask about',
  neverHint: 'One number or beginning a line, for example +32 or 0900-8844.',
  country: 'Emergency numbers of',
  helpNumbers: (numbers) => `Always called at once: ${numbers}.`,
};

export const help: Messages['help'] = {
  heading: 'Emergency number: is always called at once.',
  with: (account, number) => `With ${account}; your number ${number} is visible.`,
  where: 'Say where you are. Balie does not send your place; the emergency service sees at most the address that belongs to your number.',
  warnings: {
    no_account: 'There is no account to call with. Take another telephone.',
    cannot_call: 'This account cannot call emergency numbers. Take another telephone.',
    not_registered: 'This account is not registered now. It is tried all the same; when in doubt take another telephone.',
  },
  account: 'Emergency numbers cannot be called with this account.',
};

export const safetyCodes: Pick<Messages['codes'], 'asks_first' | 'number_blocked'> = {
  asks_first: { what: 'This number may cost extra', todo: 'Confirm that you want to call it.' },
  number_blocked: {
    what: 'Numbers of this kind cannot be called from your line',
    todo: 'Your company or provider blocks premium or foreign numbers. Ask your administrator to allow this number.',
  },
};
