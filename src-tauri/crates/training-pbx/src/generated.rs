//! Companies of any size, drawn from a seed: people, departments, extensions, a call centre, an attendant.

use std::collections::{BTreeMap, BTreeSet};

use sip_core::Random;

use crate::acd::{
    AgentConfig, AgentId, AgentState, Announcement, CallCentre, Code, Comfort, DispositionCodes,
    Entrance, Level, Member, Policy, PostCall, Priority, QueueConfig, QueueId, Threshold,
    Treatment, UnavailableCodes, WaitMessage,
};
use crate::company::{
    Account, Attendant, Behaviour, Company, Customer, Hunt, HuntGroup, Key, NightMode, Person, Role,
};
use crate::names;
use crate::ready::Numbers;

/// Fewest and most people.
pub(crate) const PEOPLE: std::ops::RangeInclusive<usize> = 10..=2_000;
/// Up to here extensions have three digits.
const THREE_DIGITS: usize = 400;
/// Accounts that phones can register with: receptionists, employees, agents, a supervisor.
const ACCOUNTS: [Role; 8] = [
    Role::Receptionist,
    Role::Employee,
    Role::Employee,
    Role::Agent,
    Role::Agent,
    Role::Supervisor,
    Role::Agent,
    Role::Employee,
];
const CUSTOMERS: usize = 60;

/// A company of `people` (10 to 2,000, cut to that), the same for the same seed.
pub(crate) fn company(seed: u64, people: usize) -> Company {
    let people = people.clamp(*PEOPLE.start(), *PEOPLE.end());
    let mut random = Random::from_seed(key(seed));
    let long = people > THREE_DIGITS;
    let at = |short: &str| number(long, short);
    let numbers = numbers(long);
    let mut staff = Staff::new(long);
    let accounts: Vec<Account> =
        ACCOUNTS.iter().map(|role| staff.account(&mut random, *role)).collect();
    let left = people.saturating_sub(accounts.len());
    let simulated: Vec<Person> = (0..left).map(|_| staff.person(&mut random)).collect();
    let line = |wanted: Role| {
        let own = accounts.iter().filter(move |account| account.role == wanted);
        own.map(|account| account.extension.clone())
    };
    let centre = centre(&accounts, &simulated, [&numbers.queue, &at("196"), &at("197")], &numbers);
    let sales = simulated.iter().filter(|person| person.department == "Verkoop").take(6);
    let group = HuntGroup {
        number: at("191"),
        name: "Verkoop".to_owned(),
        members: line(Role::Employee).chain(sales.map(|person| person.extension.clone())).collect(),
        ring_s: 15,
        policy: Policy::Circular,
        weights: BTreeMap::new(),
    };
    let hunt = Hunt {
        members: line(Role::Receptionist).chain(line(Role::Employee)).collect(),
        ring_s: 15,
        policy: Policy::Regular,
        weights: BTreeMap::new(),
    };
    let receptionist = line(Role::Receptionist).next().unwrap_or_default();
    let night = format!("*55{receptionist}");
    Company {
        name: format!("{} Groep", staff.family),
        domain: "groep.example".to_owned(),
        main_number: format!("+3188{:05}00", random.between(10_000, 99_999)),
        queue: Vec::new(),
        centre,
        groups: vec![group],
        attendant: Some(attendant(long, &numbers)),
        night: NightMode { to: night, ..NightMode::default() },
        numbers,
        hunt,
        accounts,
        simulated,
        customers: (0..CUSTOMERS).map(|_| customer(&mut random)).collect(),
    }
}

/// A number of three digits, or with a zero behind them.
fn number(long: bool, short: &str) -> String {
    if long { format!("{short}0") } else { short.to_owned() }
}

fn numbers(long: bool) -> Numbers {
    let at = |short: &str| number(long, short);
    Numbers {
        main: at("100"),
        hunt_group: at("190"),
        queue: at("195"),
        echo: at("600"),
        music: at("601"),
        speech: at("602"),
        busy: at("603"),
        no_answer: at("604"),
        declines: at("605"),
        voicemail: at("606"),
    }
}

fn attendant(long: bool, numbers: &Numbers) -> Attendant {
    let keys = [
        ('0', Key::Number(numbers.main.clone())),
        ('1', Key::Number(numbers.queue.clone())),
        ('2', Key::Number(number(long, "196"))),
        ('3', Key::Name),
    ];
    let operator = numbers.main.clone();
    Attendant { number: number(long, "180"), keys: keys.into(), operator }
}

fn key(seed: u64) -> [u8; 32] {
    let mut key = *b"company\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    for (slot, byte) in key.iter_mut().rev().zip(seed.to_le_bytes()) {
        *slot = byte;
    }
    key
}

/// Gives out names, extensions and addresses, each once.
struct Staff {
    long: bool,
    accounts: u32,
    next: u32,
    addresses: BTreeSet<String>,
    family: String,
}

impl Staff {
    fn new(long: bool) -> Self {
        let next = if long { 2_001 } else { 201 };
        Self { long, accounts: 0, next, addresses: BTreeSet::new(), family: "Meander".to_owned() }
    }

    fn account(&mut self, random: &mut Random, role: Role) -> Account {
        self.accounts += 1;
        let first = if self.long { 1_000 } else { 100 };
        let (_, name) = names::person(random);
        let department = match role {
            Role::Receptionist => "Receptie",
            Role::Employee => "Verkoop",
            Role::Agent | Role::Supervisor => "Support",
        };
        Account {
            extension: (first + self.accounts).to_string(),
            email: Some(self.address(&name)),
            name,
            role,
            department: department.to_owned(),
            password: None,
            barred: crate::desk::Barred::Nothing,
            mobile: Some(names::mobile(random)),
        }
    }

    fn person(&mut self, random: &mut Random) -> Person {
        let (voice, name) = names::person(random);
        let behaviour = match random.between(1, 100) {
            1..=82 => Behaviour::Answers,
            83..=90 => Behaviour::NoAnswer,
            91..=96 => Behaviour::Busy,
            _ => Behaviour::Declines,
        };
        let has_mobile = random.between(1, 100) <= 70;
        Person {
            extension: self.extension(),
            email: Some(self.address(&name)),
            name,
            department: names::department(random).to_owned(),
            voice,
            behaviour,
            mobile: has_mobile.then(|| names::mobile(random)),
            simulated: true,
        }
    }

    /// The next one that is no number with a function.
    fn extension(&mut self) -> String {
        let functions = if self.long { 6_000..6_100 } else { 600..610 };
        if functions.contains(&self.next) {
            self.next = functions.end;
        }
        let extension = self.next.to_string();
        self.next += 1;
        extension
    }

    fn address(&mut self, name: &str) -> String {
        let local = names::mailbox(name);
        let mut address = format!("{local}@groep.example");
        let mut number = 2_u32;
        while !self.addresses.insert(address.clone()) {
            address = format!("{local}{number}@groep.example");
            number += 1;
        }
        address
    }
}

fn customer(random: &mut Random) -> Customer {
    let (voice, name, number) = names::customer(random);
    Customer { name, number, voice }
}

/// Three queues: the agents with accounts in the first, simulated ones in all.
fn centre(
    accounts: &[Account],
    simulated: &[Person],
    ids: [&str; 3],
    numbers: &Numbers,
) -> CallCentre {
    let agents: Vec<&str> = accounts
        .iter()
        .filter(|account| account.role == Role::Agent)
        .map(|account| account.extension.as_str())
        .collect();
    let able =
        |person: &&Person| person.department == "Support" && person.behaviour == Behaviour::Answers;
    // About one in twelve, and at most sixty: the rest of the department does something else.
    let most = (simulated.len() / 12).clamp(2, 60);
    let own: Vec<&str> =
        simulated.iter().filter(able).take(most).map(|person| person.extension.as_str()).collect();
    let half = own.len().div_ceil(2);
    let (first, second) = own.split_at(half);
    let supervisors: Vec<AgentId> = accounts
        .iter()
        .filter(|account| account.role == Role::Supervisor)
        .map(|account| AgentId(account.extension.clone()))
        .collect();
    let all: Vec<&str> = agents.iter().chain(first).chain(second).copied().collect();
    let queue = |id: &str, name: &str, policy: Policy, lines: &[&str]| QueueConfig {
        policy,
        members: members(lines),
        supervisors: supervisors.clone(),
        ..queue(id, name, numbers)
    };
    let service: Vec<&str> = agents.iter().chain(first).copied().collect();
    let faults: Vec<&str> = agents.iter().chain(second).copied().collect();
    let [service_id, faults_id, sales_id] = ids;
    let queues = vec![
        queue(service_id, "Klantenservice", Policy::Uniform, &service),
        QueueConfig {
            priority: Priority::High,
            ..queue(faults_id, "Storingsdienst", Policy::Circular, &faults)
        },
        QueueConfig { skill_based: true, ..queue(sales_id, "Offertes", Policy::Regular, &all) },
    ];
    let available = |line: &&str| AgentConfig {
        id: AgentId((*line).to_owned()),
        starts: AgentState::Available,
        ..AgentConfig::default()
    };
    CallCentre {
        queues,
        agents: all.iter().map(available).collect(),
        unavailable_codes: unavailable_codes(),
        dispositions: vec![code("OPGELOST", "Opgelost", Level::Enterprise)],
    }
}

/// Three levels of skill, in turn.
fn members(lines: &[&str]) -> Vec<Member> {
    let member = |(at, line): (usize, &&str)| {
        let skill = u8::try_from(at % 3 + 1).unwrap_or(1);
        Member { skill, ..Member::new(*line) }
    };
    lines.iter().enumerate().map(member).collect()
}

fn queue(id: &str, name: &str, numbers: &Numbers) -> QueueConfig {
    let message = |clip: &str, length_ms| Announcement { clip: clip.to_owned(), length_ms };
    QueueConfig {
        id: QueueId(id.to_owned()),
        name: name.to_owned(),
        length: 40,
        overflow_after_s: Some(900),
        overflow_time: Treatment::Transfer(numbers.main.clone()),
        post_call: Some(PostCall { wrap_up_s: Some(15), ..PostCall::default() }),
        entrance: Some(Entrance { message: message("queue-welcome", 7_600), mandatory: false }),
        comfort: Some(Comfort { messages: vec![message("queue-patience", 4_300)], every_s: 30 }),
        wait_message: Some(WaitMessage { every_s: 60, usual_call_minutes: 3, longest_minutes: 30 }),
        thresholds: crate::acd::QueueThresholds {
            longest_wait: Threshold { yellow: Some(60), red: Some(180) },
            calls: Threshold { yellow: Some(4), red: Some(10) },
            ..crate::acd::QueueThresholds::default()
        },
        dispositions: DispositionCodes {
            enabled: true,
            with_organization: true,
            forced: false,
            codes: vec![code("VRAAG", "Vraag beantwoord", Level::Queue)],
        },
        ..QueueConfig::default()
    }
}

fn unavailable_codes() -> UnavailableCodes {
    UnavailableCodes {
        enabled: true,
        codes: vec![
            Code { default: true, ..code("PAUZE", "Pauze", Level::Enterprise) },
            code("LUNCH", "Lunch", Level::Enterprise),
            code("OVERLEG", "Overleg", Level::Enterprise),
        ],
        ..UnavailableCodes::default()
    }
}

fn code(code: &str, description: &str, level: Level) -> Code {
    Code {
        code: code.to_owned(),
        description: description.to_owned(),
        active: true,
        default: false,
        level,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companies_of_every_size_are_sound_and_repeat_themselves() {
        for people in [10, 11, 60, 400, 401, 2_000] {
            let made = Company::generate(7, people).unwrap();
            assert_eq!(made.people().len(), people);
            assert_eq!(made, Company::generate(7, people).unwrap());
            assert_ne!(made, Company::generate(8, people).unwrap());
            let digits = if people > THREE_DIGITS { 4 } else { 3 };
            assert!(made.people().iter().all(|person| person.extension.len() == digits));
            let mails: BTreeSet<_> = made.people().into_iter().filter_map(|p| p.email).collect();
            assert_eq!(mails.len(), people);
        }
    }

    #[test]
    fn a_large_company_has_accents_departments_mobiles_and_agents() {
        let made = Company::generate(1, 500).unwrap();
        let people = made.people();
        assert!(people.iter().any(|person| !person.name.is_ascii()));
        let departments: BTreeSet<&str> = people.iter().map(|p| p.department.as_str()).collect();
        assert_eq!(departments.len(), names::DEPARTMENTS.len());
        let mobiles = people.iter().filter(|person| person.mobile.is_some()).count();
        assert!((300..=450).contains(&mobiles), "{mobiles}");
        let centre = made.call_centre();
        assert_eq!(centre.queues.len(), 3);
        assert!(centre.agents.len() > 20, "{}", centre.agents.len());
    }

    #[test]
    fn a_size_out_of_range_is_refused() {
        assert!(Company::generate(1, 9).is_err());
        assert!(Company::generate(1, 2_001).is_err());
    }
}
