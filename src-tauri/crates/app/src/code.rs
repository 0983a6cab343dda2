//! Error and reason codes: stable words that front ends translate. Nothing matches on message texts.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why something failed or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The account is not registered.
    NotRegistered,
    /// User name or password was refused.
    AuthFailed,
    /// The server does not know the account or forbids it.
    Forbidden,
    /// The name of the server cannot be resolved.
    DnsFailure,
    /// Nothing listens there, or the network says no.
    ConnectionFailed,
    /// The server's certificate or TLS itself failed.
    TlsFailure,
    /// No answer in time.
    Timeout,
    /// Something between here and the server rewrites what is sent.
    Rewritten,
    /// The server answered with an error of its own.
    ServerError,
    /// The number or address does not exist.
    NotFound,
    /// What was typed is no number or address.
    BadTarget,
    /// The number costs more than people expect, and it was wanted to be asked about.
    AsksFirst,
    /// The exchange does not let this kind of number be called from here.
    NumberBlocked,
    /// Answering would put a conversation on hold: it is wanted to be asked for twice.
    CallWaiting,
    /// The other side is busy.
    BusyHere,
    /// The other side declined.
    Declined,
    /// Nobody answered.
    NoAnswer,
    /// The caller gave up.
    Cancelled,
    /// Answered on another device.
    AnsweredElsewhere,
    /// The other side is not reachable at this moment.
    Unavailable,
    /// The caller's telephone or the exchange does not transfer.
    TransferRefused,
    /// A transfer came to nothing.
    TransferFailed,
    /// Nobody told what became of a transfer, and the caller is still there.
    TransferUnknown,
    /// The user took the caller back.
    TakenBack,
    /// No codec in common.
    NoCommonCodec,
    /// One side wants the sound encrypted, and the other does not or not in this way.
    NoCommonEncryption,
    /// The exchange went away in mid-call.
    ConnectionLost,
    /// No such call.
    UnknownCall,
    /// No such account.
    UnknownAccount,
    /// No such queue, or no such caller in it.
    UnknownQueue,
    /// No such agent.
    UnknownAgent,
    /// The account has no exchange that could do this.
    NoExchange,
    /// The account lacks the licence for this.
    LicenceMissing,
    /// The agent is the last one of a queue: sign out again with `force`.
    LastStaffed,
    /// A reason or an outcome must be given.
    ReasonNeeded,
    /// The outcome of a call must be given before the agent can get calls again.
    OutcomeNeeded,
    /// A value is not acceptable.
    BadValue,
    /// It was taken, and is not so.
    NotConfirmed,
    /// The call is in a state that does not allow this.
    WrongState,
    /// The request could not be understood.
    BadRequest,
    /// No such command.
    UnknownCommand,
    /// A known command that this version does not have.
    NotSupported,
    /// The exchange does not hand out what a telephone of its own needs.
    SetupUnavailable,
    /// The settings file cannot be read.
    BadConfig,
    /// The settings file cannot be written: changes hold for this run only.
    ConfigUnsaved,
    /// A port is taken by another program.
    PortTaken,
    /// The wanted port is taken by another program; a free one is used.
    PortMoved,
    /// There is no sound device.
    NoAudioDevice,
    /// The system does not let this program use a sound device.
    AudioDenied,
    /// Another program has a sound device for itself.
    AudioInUse,
    /// The microphone gives no sound at all while somebody listens.
    MicrophoneSilent,
    /// A call cannot be recorded, or its recording can no longer be written.
    RecordingFailed,
    /// A file cannot be played as a ring tone.
    RingUnreadable,
    /// A ring tone lasts too short or too long.
    RingLength,
    /// The file of a ring tone is too large.
    RingSize,
    /// A call has no sound in one direction.
    NoSound,
    /// The sound device stopped or refused.
    AudioDeviceFailed,
    /// A device that rings stopped or cannot be used; calls have their sound.
    RingerFailed,
    /// The device for alerts stopped or cannot be used; calls have their sound.
    AlertsFailed,
    /// A Bluetooth headset is on its way for calls, and sounds like a telephone.
    BluetoothCalls,
    /// A Bluetooth headset is on its way for music, and has no microphone there.
    BluetoothNoMicrophone,
    /// The system does not let this user have the headset's keys.
    HeadsetDenied,
    /// Another program has the headset's keys, or is in a call with it.
    HeadsetInUse,
    /// The headset's keys cannot be used.
    HeadsetFailed,
    /// There is no keyring: the password is kept for this session only.
    NoKeyring,
    /// A password is needed.
    PasswordNeeded,
    /// Calls, contacts and notes are kept without encryption.
    StoreNotEncrypted,
    /// The keyring does not hand out the key of what is kept: this run keeps everything in memory.
    StoreLocked,
    /// The key of what was kept is gone; it was set aside and a new beginning made.
    StoreKeyLost,
    /// What was kept is damaged; it was set aside and a new beginning made.
    StoreDamaged,
    /// A newer version of the program wrote what is kept: this run keeps everything in memory.
    StoreNewer,
    /// Calls, contacts and notes cannot be kept.
    StoreFailed,
    /// No such contact, list or note.
    UnknownEntry,
    /// The file cannot be read as a list of contacts.
    BadFile,
    /// What is opened for a caller cannot be started.
    ScreenPopFailed,
    /// A fault of the program itself.
    Internal,
}
