//! An exchange that does what a test says, plugged in as a binding is.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

use std::time::Duration;

use app::config::Config;
use app::exchange::{Binding, Exchanges, Feed, Order, Port};
use pbx::centre::{
    AgentState, AgentStatus, Answer, Capability, Code, Input, LinkState, Membership, Party,
    QueueEntry, QueueId, QueuedCallId, Refusal, Request, RequestId, Role, ServiceKind, UserId,
};
use tokio::sync::mpsc;

/// Longest wait for something that must come.
const PATIENCE: Duration = Duration::from_secs(30);

struct Double(mpsc::UnboundedSender<Port>);

impl Binding for Double {
    fn start(self: Box<Self>, port: Port) {
        let _ = self.0.send(port);
    }
}

/// The bindings of every account that has one in its settings, and where they come out.
pub(crate) fn exchanges() -> (Exchanges, mpsc::UnboundedReceiver<Port>) {
    let (sender, ports) = mpsc::unbounded_channel();
    let exchanges = Exchanges::new(move |settings, _| {
        let double = || Box::new(Double(sender.clone())) as Box<dyn Binding>;
        Ok(settings.xsi.as_ref().map(|_| double()))
    });
    (exchanges, ports)
}

/// An account with an exchange, and no telephone server.
pub(crate) fn config(ids: &[&str]) -> Config {
    let mut text = String::from("[network]\nbind = \"127.0.0.1\"\n");
    for id in ids {
        text.push_str(&format!(
            "[[account]]\nid = \"{id}\"\naor = \"sip:{id}@127.0.0.1\"\nregister = false\n\
             [account.xsi]\nuser = \"anna@company.example\"\npassword = \"secret\"\n"
        ));
    }
    Config::parse(&text).unwrap()
}

/// The exchange's side of one account.
pub(crate) struct Exchange {
    feed: Feed,
    orders: mpsc::Receiver<Order>,
}

impl Exchange {
    pub(crate) async fn of(ports: &mut mpsc::UnboundedReceiver<Port>) -> Exchange {
        let port = tokio::time::timeout(PATIENCE, ports.recv()).await.expect("no binding began");
        let Port { feed, orders, .. } = port.unwrap();
        Exchange { feed, orders }
    }

    pub(crate) async fn tell(&self, input: Input) {
        assert!(self.feed.tell(input).await, "the program ended");
    }

    /// What is asked next.
    pub(crate) async fn asked(&mut self) -> (RequestId, Request) {
        loop {
            let order = tokio::time::timeout(PATIENCE, self.orders.recv()).await;
            if let Order::Request(id, request) =
                order.expect("nothing was asked").expect("the program let go")
            {
                return (id, request);
            }
        }
    }

    pub(crate) async fn takes(&self, request: RequestId) {
        self.tell(Input::Done { request, result: Ok(Answer::Accepted) }).await;
    }

    pub(crate) async fn refuses(&self, request: RequestId, refusal: Refusal) {
        self.tell(Input::Done { request, result: Err(refusal) }).await;
    }

    /// True when the program has ended the binding.
    pub(crate) async fn is_let_go(&mut self) -> bool {
        let next = tokio::time::timeout(PATIENCE, self.orders.recv()).await;
        matches!(next, Ok(None))
    }

    pub(crate) async fn state(&self, state: AgentState, code: Option<&str>) {
        let status = AgentStatus { state, code: code.map(str::to_owned), ..AgentStatus::default() };
        self.tell(Input::AgentStatus { agent: me(), status }).await;
    }

    /// Everything that is so at the beginning: Anna is available in one queue that she also supervises.
    pub(crate) async fn begins(&self) {
        self.tell(Input::Me { user: me(), name: "Anna".into() }).await;
        let present = [
            Capability::Agent,
            Capability::JoinQueues,
            Capability::QueueView,
            Capability::QueueControl,
            Capability::QueuePolicy,
            Capability::Disposition,
            Capability::Supervise,
            Capability::Service(ServiceKind::DoNotDisturb),
            Capability::Service(ServiceKind::ForwardAlways),
        ];
        let missing = vec![(Capability::BargeIn, "Directed Call Pickup with Barge-in".to_owned())];
        self.tell(Input::Capabilities { present: present.to_vec(), missing }).await;
        let queues = vec![
            (queue(), "Support".to_owned(), Role::Agent),
            (queue(), "Support".to_owned(), Role::Supervisor),
        ];
        self.tell(Input::Queues(queues)).await;
        for (agent, name, number) in [(me(), "Anna", "101"), (bert(), "Bert", "102")] {
            let (name, number) = (name.to_owned(), number.to_owned());
            self.tell(Input::AgentKnown { agent: agent.clone(), name, number }).await;
            let membership =
                Membership { queue: queue(), joined: true, may_leave: true, skill: None };
            let memberships = vec![membership];
            self.tell(Input::Memberships { agent, full: true, memberships }).await;
        }
        let code = |code: &str, description: &str| Code {
            code: code.to_owned(),
            description: description.to_owned(),
            is_default: false,
        };
        let codes = vec![code("LUNCH", "Lunch"), code("MEETING", "")];
        self.tell(Input::UnavailableCodes { codes, forced: true }).await;
        let codes = vec![code("SOLD", "Verkocht")];
        self.tell(Input::DispositionCodes { queue: queue(), codes, forced: true }).await;
        self.state(AgentState::Available, None).await;
        self.tell(Input::Link(LinkState::Live)).await;
    }
}

pub(crate) fn me() -> UserId {
    UserId("anna@company.example".into())
}

pub(crate) fn bert() -> UserId {
    UserId("bert@company.example".into())
}

pub(crate) fn queue() -> QueueId {
    QueueId("support@company.example".into())
}

pub(crate) fn caller(call: &str, number: &str, since: u64) -> QueueEntry {
    QueueEntry {
        call: QueuedCallId(call.into()),
        caller: Party { name: String::new(), number: number.into() },
        since,
        priority: None,
        state: pbx::centre::EntryState::Queued,
        bounced: false,
        reordered: false,
        entrance: false,
    }
}
