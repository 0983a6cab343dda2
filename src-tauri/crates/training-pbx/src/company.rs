//! The company that is played: people, accounts, numbers, customers. Values only, read from TOML.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

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

impl Company {
    /// The Dutch demo company that comes with the program.
    pub fn demo() -> Self {
        Self::from_toml(DEMO).unwrap_or_else(|error| {
            tracing::error!(%error, "built-in company file");
            Self::empty()
        })
    }

    /// Reads a company file (the form of `assets/company/demo.toml`).
    ///
    /// # Errors
    /// [`CompanyError`] when the text is not of that form or the numbers clash.
    pub fn from_toml(text: &str) -> Result<Self, CompanyError> {
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

    fn check(&self) -> Result<(), CompanyError> {
        let mut seen = BTreeSet::new();
        let people = self.simulated.iter().map(|person| person.extension.as_str());
        let accounts = self.accounts.iter().map(|account| account.extension.as_str());
        let queue = Some(self.numbers.queue.as_str()).filter(|queue| !queue.is_empty());
        let numbers = self.numbers.all().into_iter().chain(queue);
        for number in numbers.chain(accounts).chain(people) {
            if !is_number(number) {
                return Err(CompanyError::BadNumber(number.to_owned()));
            }
            if !seen.insert(number) {
                return Err(CompanyError::Duplicate(number.to_owned()));
            }
        }
        match self
            .hunt
            .members
            .iter()
            .chain(&self.queue)
            .find(|member| !seen.contains(member.as_str()))
        {
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
            numbers: Numbers::default(),
            hunt: Hunt { members: Vec::new(), ring_s: 15 },
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
