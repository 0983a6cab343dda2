//! Servers of address books, on this machine, that send without end: pictures of half a gigabyte, answers that lead to themselves,
//! lists that never stop. Each ends in a clear error, and what the server could get rid of is bounded.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use contact_sources::{
    Access, CardDavSettings, Excess, Known, Settings, SourceError, Synced, limits, open,
};
use sip_core::Random;

const HALF_A_GIGABYTE: usize = 500 << 20;
const OPEN: &str = "<multistatus xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\">";

/// What is asked for.
struct Asked {
    method: String,
    target: String,
    body: String,
}

/// What it says.
enum Says {
    /// A document.
    Xml(String),
    /// A place to go to.
    Elsewhere(String),
    /// This, a picture of half a gigabyte, and this.
    Picture(String, String),
    /// That so much will come.
    Claims(usize),
}

struct Server {
    address: String,
    requests: Arc<AtomicUsize>,
    /// Bytes of pictures that the other side took.
    taken: Arc<AtomicUsize>,
}

fn start(says: impl Fn(&Asked) -> Says + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/jan/zaak/", listener.local_addr().unwrap());
    let (requests, taken) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, given, says) = (requests.clone(), taken.clone(), Arc::new(says));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (counted, given, says) = (counted.clone(), given.clone(), says.clone());
            std::thread::spawn(move || serve(stream, &*says, &counted, &given));
        }
    });
    Server { address, requests, taken }
}

fn serve(
    stream: TcpStream,
    says: &dyn Fn(&Asked) -> Says,
    requests: &AtomicUsize,
    taken: &AtomicUsize,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        requests.fetch_add(1, Ordering::SeqCst);
        let mut words = first.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let body = String::from_utf8_lossy(&body).into_owned();
        answer(&mut stream, says(&Asked { method, target, body }), taken)?;
    }
}

fn answer(stream: &mut TcpStream, says: Says, taken: &AtomicUsize) -> std::io::Result<()> {
    match says {
        Says::Xml(body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 207 Multi-Status\r\ncontent-length: {length}\r\n\r\n");
            stream.write_all((head + &body).as_bytes())
        }
        Says::Elsewhere(to) => {
            write!(stream, "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
        }
        Says::Claims(length) => {
            write!(stream, "HTTP/1.1 207 Multi-Status\r\ncontent-length: {length}\r\n\r\n{OPEN}")
        }
        Says::Picture(before, after) => {
            write!(stream, "HTTP/1.1 207 Multi-Status\r\ntransfer-encoding: chunked\r\n\r\n")?;
            write!(stream, "{:x}\r\n{before}\r\n", before.len())?;
            let block = vec![b'A'; 1 << 20];
            for _ in 0..HALF_A_GIGABYTE / block.len() {
                write!(stream, "{:x}\r\n", block.len())?;
                stream.write_all(&block)?;
                write!(stream, "\r\n")?;
                taken.fetch_add(block.len(), Ordering::SeqCst);
            }
            write!(stream, "{:x}\r\n{after}\r\n0\r\n\r\n", after.len())
        }
    }
}

fn found(path: &str, props: &str) -> String {
    format!(
        "<response><href>{path}</href><propstat><prop>{props}</prop><status>HTTP/1.1 200 OK</status></propstat></response>"
    )
}

fn whole(inside: &str) -> Says {
    Says::Xml(format!("{OPEN}{inside}</multistatus>"))
}

fn book() -> Says {
    let kind =
        "<resourcetype><collection/><C:addressbook/></resourcetype><sync-token>t1</sync-token>";
    whole(&found("/jan/zaak/", kind))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn read(server: &Server) -> Result<Synced, SourceError> {
    let settings =
        CardDavSettings { address: server.address.clone(), ..CardDavSettings::default() };
    let source =
        open(&Settings::CardDav(settings), Access::with(None), Random::from_seed([5; 32]))?;
    runtime().block_on(source.sync("", &Known::new(), &|_| {}))
}

/// What the other side may take of one answer, with what is on its way.
const ONE_ANSWER: usize = limits::ANSWER + (32 << 20);

#[test]
fn an_endless_answer_ends_in_a_clear_error() {
    let server = start(|_| Says::Picture(OPEN.to_owned(), String::new()));
    assert_eq!(read(&server), Err(SourceError::Excess(Excess::Bytes)));
    let taken = server.taken.load(Ordering::SeqCst);
    assert!(taken <= ONE_ANSWER, "{taken} bytes were taken");
}

#[test]
fn an_answer_that_would_be_too_long_is_not_begun() {
    let server = start(|_| Says::Claims(HALF_A_GIGABYTE));
    assert_eq!(read(&server), Err(SourceError::Excess(Excess::Bytes)));
}

#[test]
fn one_picture_of_half_a_gigabyte_costs_its_card_and_no_other() {
    let card =
        |name: &str| format!("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nTEL:101\r\nEND:VCARD\r\n");
    let server = start(move |asked| {
        let huge = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Groot\r\nPHOTO;ENCODING=b:";
        if asked.method == "GET" {
            return Says::Picture(huge.to_owned(), "\r\nEND:VCARD\r\n".to_owned());
        }
        if asked.body.contains("sync-collection ") {
            let both = ["/jan/zaak/groot.vcf", "/jan/zaak/klein.vcf"];
            let all: String = both.iter().map(|path| found(path, "<getetag>1</getetag>")).collect();
            return whole(&format!("{all}<sync-token>t1</sync-token>"));
        }
        if asked.body.contains("addressbook-multiget") {
            let small = match asked.body.contains("klein") {
                true => found(
                    "/jan/zaak/klein.vcf",
                    &format!(
                        "<getetag>1</getetag><C:address-data>{}</C:address-data>",
                        card("Klein")
                    ),
                ),
                false => String::new(),
            };
            return match asked.body.contains("groot") {
                true => Says::Picture(
                    format!(
                        "{OPEN}{small}<response><href>/jan/zaak/groot.vcf</href><propstat><prop><C:address-data>{huge}"
                    ),
                    "</C:address-data></prop></propstat></response></multistatus>".to_owned(),
                ),
                false => whole(&small),
            };
        }
        book()
    });
    let synced = read(&server).unwrap();
    let names: Vec<Option<String>> =
        synced.put.into_iter().map(|record| record.contact.map(|contact| contact.name)).collect();
    assert_eq!(
        names,
        [None, Some("Klein".to_owned())],
        "one is left out, and that is kept in mind"
    );
    // Both together, the large one among several, and the large one alone.
    let taken = server.taken.load(Ordering::SeqCst);
    assert!(taken <= 3 * ONE_ANSWER, "{taken} bytes were taken");
}

#[test]
fn redirections_in_a_circle_end() {
    let server = start(|asked| {
        let to = if asked.target.ends_with("/a/") { "/jan/b/" } else { "/jan/a/" };
        Says::Elsewhere(to.to_owned())
    });
    assert_eq!(read(&server), Err(SourceError::Excess(Excess::Redirects)));
    let requests = server.requests.load(Ordering::SeqCst);
    assert!(requests <= 4 * (limits::REDIRECTS + 1), "{requests} requests");
}

#[test]
fn a_list_of_endless_parts_ends() {
    let parts = AtomicUsize::new(0);
    let server = start(move |asked| {
        if asked.body.contains("sync-collection ") {
            let part = parts.fetch_add(1, Ordering::SeqCst);
            let one = found(&format!("/jan/zaak/{}.vcf", part % 7), "<getetag>1</getetag>");
            return whole(&format!(
                "{one}<response><href>/jan/zaak/</href><status>HTTP/1.1 507 Insufficient Storage</status></response>\
                 <sync-token>p{part}</sync-token>"
            ));
        }
        book()
    });
    assert_eq!(read(&server), Err(SourceError::Excess(Excess::Pages)));
    let requests = server.requests.load(Ordering::SeqCst);
    assert!(requests <= limits::PAGES + 10, "{requests} requests");
}
