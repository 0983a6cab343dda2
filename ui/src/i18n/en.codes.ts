// English, of the codes: what is the matter, and what the user can do about it.

import { safetyCodes } from './en.safety';
import { storeCodes } from './en.contacts';
import { headsetCodes } from './en.headset';
import { soundCodes } from './en.sound';
import type { codes as dutch, ownEnd as endInDutch } from './nl.codes';

export const codes: typeof dutch = {
  not_registered: { what: 'You are not signed in', todo: 'Sign the account in and try again.' },
  auth_failed: { what: 'User name or password is wrong', todo: 'Check both in the account details.' },
  forbidden: { what: 'The exchange does not allow this', todo: 'Ask your administrator whether this account may do it.' },
  dns_failure: { what: 'The server’s name cannot be found', todo: 'Check the server name and the internet connection.' },
  connection_failed: { what: 'There is no connection to the server', todo: 'Check the network, the server and the port.' },
  tls_failure: { what: 'The secure connection fails', todo: 'Check the server name and this computer’s clock.' },
  timeout: { what: 'The server does not answer', todo: 'Check the network. Another try is made by itself.' },
  rewritten: {
    what: 'Something between here and the exchange changes the SIP traffic',
    todo: 'Switch off SIP ALG (or SIP helper) in the router, or use TLS.',
  },
  server_error: { what: 'The exchange reports a fault', todo: 'Try again shortly; if it stays, call your provider.' },
  not_found: { what: 'This number does not exist', todo: 'Check the number.' },
  bad_target: { what: 'This is no number or address', todo: 'Type a number, an extension or a SIP address.' },
  call_waiting: { what: 'Not answered: you are in a call', todo: 'Press again within five seconds: your call then goes on hold.' },
  busy_here: { what: 'Busy', todo: 'Try again later.' },
  declined: { what: 'Declined', todo: 'The other side takes no calls now.' },
  no_answer: { what: 'No answer', todo: 'Try later or call another number.' },
  cancelled: { what: 'The caller hung up', todo: 'Call back from the list of calls if you like.' },
  answered_elsewhere: { what: 'Answered elsewhere', todo: 'Another phone took this call.' },
  unavailable: { what: 'Not available now', todo: 'Try later or call another number.' },
  transfer_refused: {
    what: 'The transfer was refused',
    todo: 'The caller is still there. Try again or give him the number.',
  },
  transfer_failed: { what: 'The transfer failed', todo: 'Call the caller back if he is gone.' },
  transfer_unknown: {
    what: 'Nobody told whether the transfer worked',
    todo: 'The caller is still on hold with you. Take him back.',
  },
  taken_back: { what: 'Taken back', todo: 'The caller is with you again.' },
  no_common_encryption: {
    what: 'No agreement on encryption',
    todo: 'One side wants encrypted sound and the other does not. Tell your administrator.',
  },
  no_common_codec: { what: 'No sound format in common', todo: 'Tell your administrator.' },
  connection_lost: { what: 'The connection to the exchange was lost', todo: 'Call again once you can be reached.' },
  unknown_call: { what: 'This call is gone', todo: 'It had ended already.' },
  unknown_account: { what: 'This account is gone', todo: 'Choose another account.' },
  unknown_queue: { what: 'This queue or caller is gone', todo: 'The caller was helped or has hung up.' },
  unknown_agent: { what: 'There is no such agent', todo: 'Choose another one from the list.' },
  no_exchange: { what: 'This account is not connected to the exchange', todo: 'Fill in the exchange at the account.' },
  licence_missing: { what: 'A licence for this is missing', todo: 'Ask your administrator or supplier for this function.' },
  last_staffed: { what: 'You are the last one in a queue', todo: 'Sign out all the same, or wait until a colleague signs in.' },
  setup_unavailable: { what: 'The exchange does not give out the settings of the softphone', todo: 'Fill them in yourself, or control another telephone.' },
  outcome_needed: { what: 'First give the outcome of the last call', todo: 'The queue wants one; then you get calls again.' },
  reason_needed: { what: 'Choose a reason first', todo: 'Without one the exchange does not take this.' },
  bad_value: { what: 'The exchange does not take this value', todo: 'Check the number or the setting.' },
  not_confirmed: { what: 'The exchange does not confirm this', todo: 'Look how it stands now and try again.' },
  wrong_state: { what: 'That cannot be done with this call now', todo: 'Wait a moment and try again.' },
  bad_request: { what: 'The command was incomplete', todo: 'Fill in all fields and try again.' },
  unknown_command: { what: 'This version does not know that command', todo: 'Update Balie.' },
  not_supported: { what: 'Balie cannot do this yet', todo: 'It comes in a later version.' },
  bad_config: {
    what: 'The settings cannot be read',
    todo: 'Balie begins without them and keeps the old file beside it. Set your account up again or repair the file.',
  },
  config_unsaved: {
    what: 'The settings cannot be saved',
    todo: 'Everything works until you close Balie. Check whether the disk is full or the file is protected.',
  },
  port_taken: { what: 'Another program uses the port', todo: 'Close that program and start Balie again.' },
  port_moved: {
    what: 'Another program uses the port that is set',
    todo: 'Balie works on another one meanwhile. Close that program and start Balie again to use the one that is set.',
  },
  no_audio_device: { what: 'No sound device found', todo: 'Connect a headset; calls work, but without sound.' },
  microphone_silent: { what: 'Your microphone gives no sound', todo: 'Look whether it is switched off on the device, or choose another microphone.' },
  ...headsetCodes,
  ...soundCodes,
  recording_failed: { what: 'The call is not recorded', todo: 'Look whether the disk is full, and whether the folder of recordings is there.' },
  no_sound: { what: 'No sound comes or goes', todo: 'Let the firewall pass the RTP ports; ask your administrator.' },
  audio_device_failed: { what: 'The sound device stopped working', todo: 'Choose another device or reconnect it.' },
  no_keyring: {
    what: 'No keyring on this computer',
    todo: 'The password stays until you close Balie; after that you type it again.',
  },
  password_needed: { what: 'The password is needed', todo: 'Type the password of the account.' },
  ...storeCodes,
  ...safetyCodes,
  internal: { what: 'Something went wrong inside Balie', todo: 'Try again; if it stays, restart Balie.' },
};

export const ownEnd: typeof endInDutch = {
  out: { what: 'You stopped calling', todo: '' },
  in: { what: 'You declined', todo: 'The caller is in the list of calls.' },
};
