//! The company that is played: people, accounts, numbers, customers. Values only, read from TOML.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::acd::{
    AgentConfig, AgentState, CallCentre, Member, Night, Policy, QueueConfig, QueueId, Schedule,
    date_time,
};
use crate::desk::Barred;
use crate::generated;
use crate::ready::Numbers;

const DEMO: &str = include_str!("../../../../assets/company/demo.toml");

/// A company file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CompanyError {
    /// Not TOML, or not of the expected form.
    #[error("company file: {0}")]
    Form(#[from] toml::de::Error),
    /// The same number stands for two things.
    #[error("number {0} is given twice")]
    Duplicate(String),
    /// A number that is empty or holds more than digits, `*`, `#` and a leading `+`.
    #[error("{0:?} is not a number that can be dialled")]
    BadNumber(String),
    /// A member of the hunt group or the queue who does not exist.
    #[error("member {0} does not exist")]
    UnknownMember(String),
    /// A company that is too small or too large to be drawn.
    #[error("a company has 10 to 2000 people, not {0}")]
    BadSize(usize),
    /// A queue with values out of their ranges.
    #[error("queue {queue}: {why}")]
    BadQueue {
        /// Its number.
        queue: String,
        /// What is wrong.
        why: String,
    },
}

/// Who somebody with a real account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers the main number.
    Receptionist,
    /// Calls and is called.
    Employee,
    /// Takes queued calls.
    Agent,
    /// Watches over agents.
    Supervisor,
}

/// The voice somebody speaks with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// A woman's voice.
    #[default]
    Woman,
    /// A man's voice.
    Man,
}

/// What a simulated person does when called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Answers after one to four seconds, says who it is, and listens.
    #[default]
    Answers,
    /// Is on the phone: 486 Busy Here.
    Busy,
    /// Rings shortly, then 603 Decline.
    Declines,
    /// Lets it ring; after the ring time voicemail answers.
    NoAnswer,
}

/// A real account: a phone can register with it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// Extension, which is the SIP user name as well.
    pub extension: String,
    /// Full name.
    pub name: String,
    /// Role of the account's owner.
    pub role: Role,
    /// Department, for the directory.
    pub department: String,
    /// Password; made up from the seed when the file gives none.
    #[serde(default)]
    pub password: Option<String>,
    /// What it may not call.
    #[serde(default)]
    pub barred: Barred,
    /// Mobile number, international form.
    #[serde(default)]
    pub mobile: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
}

/// Somebody in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Extension, two to four digits.
    pub extension: String,
    /// Full name.
    pub name: String,
    /// Department.
    pub department: String,
    /// Voice.
    #[serde(default)]
    pub voice: Voice,
    /// What the person does when called; of no meaning for the owner of a real account.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// Mobile number, international form.
    #[serde(default)]
    pub mobile: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// True for simulated people, false for the owners of real accounts.
    #[serde(skip_deserializing, default = "yes")]
    pub simulated: bool,
}

/// A customer who calls when a test call names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Name shown to the called.
    pub name: String,
    /// Number in international form, `+31…`.
    pub number: String,
    /// Voice.
    #[serde(default)]
    pub voice: Voice,
}

/// The hunt group behind the main number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hunt {
    /// Extensions, rung one after the other.
    pub members: Vec<String>,
    /// How long each is rung, seconds.
    pub ring_s: u64,
    /// In which order.
    #[serde(default = "in_order")]
    pub policy: Policy,
    /// Shares for [`Policy::Weighted`], percent by extension.
    #[serde(default)]
    pub weights: BTreeMap<String, u8>,
}

fn in_order() -> Policy {
    Policy::Regular
}

/// Another hunt group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HuntGroup {
    /// Its number.
    pub number: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Extensions, in order.
    pub members: Vec<String>,
    /// How long each is rung, seconds.
    pub ring_s: u64,
    /// In which order, or all at once.
    #[serde(default = "in_order")]
    pub policy: Policy,
    /// Shares for [`Policy::Weighted`], percent by extension.
    #[serde(default)]
    pub weights: BTreeMap<String, u8>,
}

/// What a key of the auto attendant does.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// The call goes to this number.
    Number(String),
    /// The caller spells a name.
    Name,
}

/// The auto attendant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Attendant {
    /// Its number.
    pub number: String,
    /// What the keys do.
    pub keys: BTreeMap<char, Key>,
    /// Who helps a caller who presses no key; nobody if empty.
    #[serde(default)]
    pub operator: String,
}

/// Night mode of the company: what happens with calls to the hunt groups.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NightMode {
    /// When it is on.
    pub mode: Night,
    /// The business hours, for [`Night::Automatic`].
    pub business_hours: Option<Schedule>,
    /// What the business hours are called.
    pub schedule: String,
    /// Holidays, on which it is night all day with [`Night::Automatic`].
    pub holidays: Vec<Holiday>,
    /// What the holidays are called together.
    pub holiday_schedule: String,
    /// Where calls go at night; nothing changes if empty.
    pub to: String,
}

/// A holiday of every year.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Holiday {
    /// What it is called.
    pub name: String,
    /// Month, from 1.
    pub month: u8,
    /// Day of the month.
    pub day: u8,
    /// How many days it lasts.
    #[serde(default = "one")]
    pub days: u8,
}

fn one() -> u8 {
    1
}

impl NightMode {
    /// Whether a moment, seconds since 1970-01-01 0:00 local time, is on a holiday.
    pub(crate) fn is_holiday(&self, local_s: i64) -> bool {
        let began = |holiday: &Holiday, ago: u8| {
            let then = date_time(local_s - i64::from(ago) * 86_400);
            (then.month, then.day) == (usize::from(holiday.month), i64::from(holiday.day))
        };
        let is = |holiday: &Holiday| (0..holiday.days).any(|ago| began(holiday, ago));
        self.holidays.iter().any(is)
    }
}

impl Default for NightMode {
    fn default() -> Self {
        Self {
            mode: Night::Off,
            business_hours: None,
            schedule: "Openingstijden".to_owned(),
            holidays: Vec::new(),
            holiday_schedule: "Feestdagen".to_owned(),
            to: String::new(),
        }
    }
}

/// The whole company.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Company {
    /// Name of the company.
    pub name: String,
    /// Its SIP domain, used in identities.
    pub domain: String,
    /// Main number in international form.
    pub main_number: String,
    /// Who serves the queue, in the order they are rung.
    #[serde(default)]
    pub queue: Vec<String>,
    /// Queues and agents.
    #[serde(default)]
    pub centre: CallCentre,
    /// More hunt groups.
    #[serde(rename = "group", default)]
    pub groups: Vec<HuntGroup>,
    /// The auto attendant.
    #[serde(default)]
    pub attendant: Option<Attendant>,
    /// Night mode.
    #[serde(default)]
    pub night: NightMode,
    /// Numbers with a function.
    pub numbers: Numbers,
    /// The hunt group.
    pub hunt: Hunt,
    /// Real accounts.
    #[serde(rename = "account", default)]
    pub accounts: Vec<Account>,
    /// Simulated people.
    #[serde(rename = "person", default)]
    pub simulated: Vec<Person>,
    /// Customers for test calls, taken in turn.
    #[serde(rename = "customer", default)]
    pub customers: Vec<Customer>,
}

/// A file that only says how large a company is to be drawn: `[generate]` with `people` and `seed`.
#[derive(Debug, Deserialize)]
struct Wish {
    generate: Option<Generate>,
}

#[derive(Debug, Deserialize)]
struct Generate {
    #[serde(default)]
    seed: u64,
    people: usize,
}

impl Company {
    /// The Dutch demo company that comes with the program.
    pub fn demo() -> Self {
        Self::from_toml(DEMO).unwrap_or_else(|error| {
            tracing::error!(%error, "built-in company file");
            Self::empty()
        })
    }

    /// A company of `people` people, the same for the same seed: Dutch names, departments, extensions of three digits
    /// (four from 401 people on), a call centre, an attendant, customers.
    ///
    /// # Errors
    /// [`CompanyError::BadSize`] for fewer than 10 or more than 2,000 people.
    pub fn generate(seed: u64, people: usize) -> Result<Self, CompanyError> {
        if !generated::PEOPLE.contains(&people) {
            return Err(CompanyError::BadSize(people));
        }
        let company = generated::company(seed, people);
        company.check()?;
        Ok(company)
    }

    /// Reads a company file (the form of `assets/company/demo.toml`).
    ///
    /// # Errors
    /// [`CompanyError`] when the text is not of that form or the numbers clash.
    pub fn from_toml(text: &str) -> Result<Self, CompanyError> {
        let wish: Wish = toml::from_str(text)?;
        if let Some(Generate { seed, people }) = wish.generate {
            return Self::generate(seed, people);
        }
        let company: Self = toml::from_str(text)?;
        company.check()?;
        Ok(company)
    }

    /// Everybody in the directory: owners of real accounts and simulated people, by extension.
    pub fn people(&self) -> Vec<Person> {
        let owners = self.accounts.iter().map(|account| Person {
            extension: account.extension.clone(),
            name: account.name.clone(),
            department: account.department.clone(),
            voice: Voice::default(),
            behaviour: Behaviour::default(),
            mobile: account.mobile.clone(),
            email: account.email.clone(),
            simulated: false,
        });
        let mut people: Vec<Person> = owners.chain(self.simulated.iter().cloned()).collect();
        people.sort_by(|a, b| a.extension.cmp(&b.extension));
        people
    }

    /// The account with this extension.
    pub fn account(&self, extension: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.extension == extension)
    }

    /// The simulated person with this extension.
    pub fn person(&self, extension: &str) -> Option<&Person> {
        self.simulated.iter().find(|person| person.extension == extension)
    }

    /// The call centre; with a plain queue at [`Numbers::queue`] where the file describes none.
    pub fn call_centre(&self) -> CallCentre {
        let mut centre = self.centre.clone();
        let id = QueueId(self.numbers.queue.clone());
        if !id.0.is_empty() && !centre.queues.iter().any(|queue| queue.id == id) {
            let members = self.queue.iter().map(Member::new).collect();
            let policy = Policy::Regular;
            centre.queues.push(QueueConfig { id, members, policy, ..QueueConfig::default() });
        }
        let known: BTreeSet<String> =
            centre.agents.iter().map(|agent| agent.id.0.clone()).collect();
        for (id, agent) in centre.all_agents() {
            if !known.contains(&id.0) {
                centre.agents.push(AgentConfig { starts: AgentState::Available, ..agent });
            }
        }
        centre
    }

    /// The hunt group behind the main number.
    pub(crate) fn main_group(&self) -> HuntGroup {
        let Hunt { members, ring_s, policy, weights } = self.hunt.clone();
        let number = self.numbers.hunt_group.clone();
        HuntGroup { number, name: String::new(), members, ring_s, policy, weights }
    }

    /// The queue with this number.
    pub(crate) fn queue_at(&self, dialled: &str) -> Option<QueueId> {
        let listed = self.centre.queues.iter().any(|queue| queue.id.0 == dialled);
        let plain = !dialled.is_empty() && self.numbers.queue == dialled;
        (listed || plain).then(|| QueueId(dialled.to_owned()))
    }

    fn check(&self) -> Result<(), CompanyError> {
        let mut seen = BTreeSet::new();
        let people = self.simulated.iter().map(|person| person.extension.as_str());
        let accounts = self.accounts.iter().map(|account| account.extension.as_str());
        let centre = self.call_centre();
        let queues = centre.queues.iter().map(|queue| queue.id.0.as_str());
        let groups = self.groups.iter().map(|group| group.number.as_str());
        let attendant = self.attendant.iter().map(|menu| menu.number.as_str());
        let numbers = self.numbers.all().into_iter().chain(queues).chain(groups).chain(attendant);
        for number in numbers.chain(accounts).chain(people) {
            if !is_number(number) {
                return Err(CompanyError::BadNumber(number.to_owned()));
            }
            if !seen.insert(number) {
                return Err(CompanyError::Duplicate(number.to_owned()));
            }
        }
        for queue in &centre.queues {
            let bad = |refusal: crate::acd::Refusal| CompanyError::BadQueue {
                queue: queue.id.0.clone(),
                why: refusal.to_string(),
            };
            crate::acd::check_queue(queue).map_err(bad)?;
        }
        let people: BTreeSet<String> = self.people().into_iter().map(|p| p.extension).collect();
        let agents = centre.all_agents();
        let agents = agents.keys().map(|agent| &agent.0);
        let grouped = self.groups.iter().flat_map(|group| &group.members);
        let mut members = self.hunt.members.iter().chain(agents).chain(grouped);
        match members.find(|member| !people.contains(*member)) {
            Some(member) => Err(CompanyError::UnknownMember(member.clone())),
            None => Ok(()),
        }
    }

    fn empty() -> Self {
        Self {
            name: String::new(),
            domain: "invalid".to_owned(),
            main_number: String::new(),
            queue: Vec::new(),
            centre: CallCentre::default(),
            groups: Vec::new(),
            attendant: None,
            night: NightMode::default(),
            numbers: Numbers::default(),
            hunt: Hunt {
                members: Vec::new(),
                ring_s: 15,
                policy: Policy::Regular,
                weights: BTreeMap::new(),
            },
            accounts: Vec::new(),
            simulated: Vec::new(),
            customers: Vec::new(),
        }
    }
}

fn yes() -> bool {
    true
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demo_company_has_forty_simulated_people_and_real_accounts() {
        let company = Company::from_toml(DEMO).unwrap();
        assert_eq!(company.simulated.len(), 40);
        assert!(company.account("101").is_some_and(|a| a.role == Role::Receptionist));
        assert!(company.person("221").is_some_and(|p| p.name == "Kim Yıldız"));
        assert_eq!(company.people().len(), 40 + company.accounts.len());
        assert_eq!(company.people().iter().filter(|p| p.simulated).count(), 40);
    }

    #[test]
    fn a_file_may_ask_for_a_company_to_be_drawn() {
        let drawn = Company::from_toml("[generate]\npeople = 25\nseed = 3\n").unwrap();
        assert_eq!(drawn, Company::generate(3, 25).unwrap());
        let small = Company::from_toml("[generate]\npeople = 3\n");
        assert!(matches!(small, Err(CompanyError::BadSize(3))));
    }

    #[test]
    fn a_plain_queue_has_the_members_of_the_file_as_agents() {
        let plain = DEMO.split("# The call centre").next().unwrap().to_owned();
        let accounts = DEMO.split_once("[[account]]").unwrap().1;
        let plain = plain.replace("[numbers]", "queue = [\"104\", \"105\"]\n\n[numbers]");
        let company = Company::from_toml(&format!("{plain}[[account]]{accounts}")).unwrap();
        let centre = company.call_centre();
        assert_eq!(centre.queues.len(), 1);
        assert_eq!(centre.queues[0].policy, Policy::Regular);
        assert!(centre.agents.iter().all(|agent| agent.starts == AgentState::Available));
        assert_eq!(centre.agents.len(), 2);
    }

    #[test]
    fn a_holiday_may_last_over_the_end_of_a_month() {
        let holiday = Holiday { name: "Oud en nieuw".to_owned(), month: 12, day: 31, days: 2 };
        let night = NightMode { holidays: vec![holiday], ..NightMode::default() };
        // 2024-12-30 0:00 and the days after it.
        let days: Vec<bool> =
            (0..4).map(|day| night.is_holiday((20_087 + day) * 86_400 + 60)).collect();
        assert_eq!(days, [false, true, true, false]);
    }

    #[test]
    fn a_number_given_twice_is_refused() {
        let twice = DEMO.replace("echo = \"600\"", "echo = \"601\"");
        assert!(
            matches!(Company::from_toml(&twice), Err(CompanyError::Duplicate(n)) if n == "601")
        );
    }

    #[test]
    fn a_number_with_letters_is_refused() {
        let bad = DEMO.replace("echo = \"600\"", "echo = \"6o0\"");
        assert!(matches!(Company::from_toml(&bad), Err(CompanyError::BadNumber(_))));
    }
}
