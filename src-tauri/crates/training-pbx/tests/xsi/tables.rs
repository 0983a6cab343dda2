//! Every document by its row: path, root, the order of elements, the charset; and every change that can be made.

use training_pbx::Profile;

use crate::client::{ACTIONS, Client};
use crate::{PROFILES, start};

const LATIN: &str = "ISO-8859-1";
const UTF: &str = "UTF-8";

/// A row: path under the user, root, elements that may come in their order, those that must, charset.
struct Row {
    path: &'static str,
    root: &'static str,
    order: &'static [&'static str],
    needed: &'static [&'static str],
    charset: &'static str,
    /// Not in release 21.
    newer: bool,
}

const fn row(
    path: &'static str,
    root: &'static str,
    order: &'static [&'static str],
    needed: &'static [&'static str],
    charset: &'static str,
) -> Row {
    Row { path, root, order, needed, charset, newer: false }
}

const ROWS: &[Row] = &[
    row(
        "profile",
        "Profile",
        &[
            "details",
            "additionalDetails",
            "passwordExpiresDays",
            "fac",
            "registrations",
            "scheduleList",
            "portalPasswordChange",
            "countryCode",
            "nationalPrefix",
            "timeZone",
        ],
        &["details", "fac", "registrations", "countryCode", "timeZone"],
        LATIN,
    ),
    row("profile/Fac", "FAC", &["featureAccessCode"], &["featureAccessCode"], LATIN),
    row("profile/Registrations", "Registrations", &["registration"], &[], LATIN),
    row("profile/Device", "AccessDevices", &["accessDevice"], &["accessDevice"], LATIN),
    row(
        "profile/Schedule",
        "ScheduleList",
        &["timeSchedule", "holidaySchedule"],
        &["timeSchedule", "holidaySchedule"],
        LATIN,
    ),
    row(
        "profile/Schedule/Time/Openingstijden",
        "ScheduleDetail",
        &["name", "level", "events"],
        &["name", "level", "events"],
        LATIN,
    ),
    row(
        "profile/Schedule/Holiday/Feestdagen",
        "ScheduleDetail",
        &["name", "level", "events"],
        &["name", "level", "events"],
        LATIN,
    ),
    row("calls", "Calls", &["call"], &[], UTF),
    row("calls/HookStatus", "HookStatus", &["hookStatus"], &["hookStatus"], UTF),
    row("calls/MessageSummary", "VoiceMailMessageSummary", &["summary"], &["summary"], UTF),
    row(
        "directories/Enterprise",
        "Enterprise",
        &["startIndex", "numberOfRecords", "totalAvailableRecords", "enterpriseDirectory"],
        &["startIndex", "numberOfRecords", "totalAvailableRecords", "enterpriseDirectory"],
        LATIN,
    ),
    row(
        "directories/Group",
        "Group",
        &["startIndex", "numberOfRecords", "totalAvailableRecords", "groupDirectory"],
        &["startIndex", "numberOfRecords", "totalAvailableRecords", "groupDirectory"],
        LATIN,
    ),
    row(
        "directories/EnterpriseCommon",
        "EnterpriseCommon",
        &["startIndex", "numberOfRecords", "totalAvailableRecords", "commonPhoneEntry"],
        &["commonPhoneEntry"],
        LATIN,
    ),
    row(
        "directories/GroupCommon",
        "GroupCommon",
        &["startIndex", "numberOfRecords", "totalAvailableRecords", "commonPhoneEntry"],
        &["commonPhoneEntry"],
        LATIN,
    ),
    row(
        "directories/Personal",
        "Personal",
        &["startIndex", "numberOfRecords", "totalAvailableRecords", "entry"],
        &["startIndex"],
        LATIN,
    ),
    row("directories/CustomContact/Customers", "Directory", &["contacts"], &["contacts"], LATIN),
    row(
        "directories/CallLogs",
        "CallLogs",
        &["placed", "received", "missed"],
        &["placed", "received", "missed"],
        LATIN,
    ),
    row(
        "directories/EnhancedCallLogs",
        "EnhancedCallLogs",
        &["placed", "received", "missed"],
        &["placed", "received", "missed"],
        LATIN,
    ),
    row("directories/CallCenters?user=Agent", "CallCenters", &["callCenter"], &[], LATIN),
    row("directories/Supervisors", "Supervisors", &["callCenters", "routePoint"], &[], LATIN),
    row("services", "Services", &["service"], &["service"], LATIN),
    row(
        "services/DoNotDisturb",
        "DoNotDisturb",
        &["active", "ringSplash"],
        &["active", "ringSplash"],
        LATIN,
    ),
    row(
        "services/CallForwardingAlways",
        "CallForwardingAlways",
        &["active", "forwardToPhoneNumber", "ringSplash"],
        &["active", "ringSplash"],
        LATIN,
    ),
    Row {
        newer: true,
        ..row(
            "services/CallForwardingAlwaysSecondary",
            "CallForwardingAlwaysSecondary",
            &["active", "forwardToPhoneNumber", "ringSplash"],
            &["active"],
            LATIN,
        )
    },
    row(
        "services/CallForwardingBusy",
        "CallForwardingBusy",
        &["active", "forwardToPhoneNumber"],
        &["active"],
        LATIN,
    ),
    row(
        "services/CallForwardingNotReachable",
        "CallForwardingNotReachable",
        &["active", "forwardToPhoneNumber"],
        &["active"],
        LATIN,
    ),
    row(
        "services/CallForwardingNoAnswer",
        "CallForwardingNoAnswer",
        &["active", "forwardToPhoneNumber", "numberOfRings"],
        &["active", "numberOfRings"],
        LATIN,
    ),
    row("services/CallWaiting", "CallWaiting", &["active"], &["active"], LATIN),
    row(
        "services/CallingLineIDDeliveryBlocking",
        "CallingLineIDDeliveryBlocking",
        &["active"],
        &["active"],
        LATIN,
    ),
    row(
        "services/AnonymousCallRejection",
        "AnonymousCallRejection",
        &["active"],
        &["active"],
        LATIN,
    ),
    row(
        "services/RemoteOffice",
        "RemoteOffice",
        &["active", "remoteOfficeNumber"],
        &["active"],
        LATIN,
    ),
    row(
        "services/SimultaneousRingPersonal",
        "SimultaneousRingPersonal",
        &["active", "incomingCalls", "simRingLocations", "criteriaActivationList"],
        &["active", "incomingCalls"],
        LATIN,
    ),
    row(
        "services/SequentialRing",
        "SequentialRing",
        &[
            "ringBaseLocationFirst",
            "baseLocationNumberOfRings",
            "continueIfBaseLocationIsBusy",
            "callerMayStopSearch",
            "location1",
            "location2",
            "location3",
            "location4",
            "location5",
            "criteriaActivationList",
        ],
        &["ringBaseLocationFirst", "baseLocationNumberOfRings", "location1", "location5"],
        LATIN,
    ),
    row("services/BroadWorksAnywhere", "BroadWorksAnywhere", &["locations"], &["locations"], LATIN),
    row(
        "services/VoiceMessaging",
        "VoiceMessaging",
        &[
            "active",
            "processing",
            "voiceMessageDeliveryEmailAddress",
            "usePhoneMessageWaitingIndicator",
            "alwaysRedirectToVoiceMail",
            "busyRedirectToVoiceMail",
            "noAnswerRedirectToVoiceMail",
        ],
        &["active", "processing", "noAnswerRedirectToVoiceMail"],
        LATIN,
    ),
    row(
        "services/BusyLampField",
        "BusyLampField",
        &["listURI", "monitoredUserList"],
        &["listURI", "monitoredUserList"],
        LATIN,
    ),
    row(
        "services/BwReceptionist?receptionistType=enterprise",
        "BroadWorksReceptionist",
        &["monitoredUsers"],
        &["monitoredUsers"],
        LATIN,
    ),
    row(
        "services/CallPark",
        "CallPark",
        &["callParkGroup", "userDetailsList"],
        &["callParkGroup", "userDetailsList"],
        LATIN,
    ),
    row(
        "services/CallRecording",
        "CallRecording",
        &["recordingMode", "pauseResumeNotifyMethod"],
        &["recordingMode"],
        LATIN,
    ),
    row(
        "services/GroupNightForwarding",
        "GroupNightForwarding",
        &["userNightForwardingMode", "businessHours", "holidaySchedule"],
        &["userNightForwardingMode", "businessHours", "holidaySchedule"],
        LATIN,
    ),
    row(
        "services/HotelingGuest",
        "HotelingGuest",
        &["active", "hostUserId", "enableAssociationLimit", "associationLimitHours"],
        &["active"],
        LATIN,
    ),
    row(
        "services/HotelingHost",
        "HotelingHost",
        &["active", "enableAssociationLimit", "associationLimitHours"],
        &["active"],
        LATIN,
    ),
    row(
        "services/FlexibleSeatingGuest",
        "FlexibleSeatingGuest",
        &["active", "hostUserId", "enableAssociationLimit", "associationLimitHours"],
        &["active"],
        LATIN,
    ),
    row(
        "services/DirectedCallPickupWithBargeIn",
        "DirectedCallPickupWithBargeIn",
        &["enableBargeInWarningTone", "enableAutomaticTargetSelection"],
        &["enableBargeInWarningTone"],
        LATIN,
    ),
    row(
        "services/agentCallCenterAssignedStatus",
        "agentCallCenterAssignedStatus",
        &[
            "isCallCenterBasicAssigned",
            "isCallCenterStandardAssigned",
            "isCallCenterPremiumAssigned",
        ],
        &["isCallCenterBasicAssigned"],
        LATIN,
    ),
];

/// Whether names come in the order of a table, each at most once (repeats in a row have been put together).
fn in_order(names: &[&str], order: &[&str]) -> bool {
    let mut rest = order.iter();
    names.iter().all(|name| rest.any(|known| known == name))
}

#[tokio::test]
async fn every_document_has_its_root_its_order_and_its_charset() {
    for profile in PROFILES {
        let pbx = start(profile).await;
        let client = Client::new(&pbx, "101");
        for row in ROWS {
            let reply = client.get(&client.own(row.path)).await;
            if row.newer && profile == Profile::R21 {
                assert_eq!(reply.error(), (404, true), "{}", row.path);
                continue;
            }
            assert_eq!(reply.status, 200, "{}: {}", row.path, reply.text());
            let kind = reply.header("content-type");
            assert!(kind.contains(row.charset), "{}: {kind}", row.path);
            let declaration = format!("encoding=\"{}\"", row.charset);
            assert!(reply.text().contains(&declaration), "{}", row.path);
            let document = reply.document();
            assert_eq!(document.name, row.root, "{}", row.path);
            assert!(document.all_bound(), "{}", row.path);
            let names = document.names();
            assert!(in_order(&names, row.order), "{}: {names:?}", row.path);
            for needed in row.needed {
                assert!(names.contains(needed), "{}: no {needed}", row.path);
            }
            // Path words may be in any case.
            let (words, query) = row.path.split_once('?').unwrap_or((row.path, ""));
            if !words.contains("Customers") {
                let path = client.own(&format!("{}?{query}", words.to_lowercase()));
                assert_eq!(client.get(&path).await.status, 200, "{path}");
            }
        }
        pbx.stop().await;
    }
}

/// Elements and their texts.
type Fields = &'static [(&'static str, &'static str)];

/// Path, root, what is changed, the elements with what they are then.
const CHANGES: &[(&str, &str, Fields)] = &[
    ("services/DoNotDisturb", "DoNotDisturb", &[("active", "true"), ("ringSplash", "true")]),
    (
        "services/CallForwardingAlways",
        "CallForwardingAlways",
        &[("active", "true"), ("forwardToPhoneNumber", "102"), ("ringSplash", "true")],
    ),
    (
        "services/CallForwardingBusy",
        "CallForwardingBusy",
        &[("active", "true"), ("forwardToPhoneNumber", "+31201230001")],
    ),
    (
        "services/CallForwardingNotReachable",
        "CallForwardingNotReachable",
        &[("active", "true"), ("forwardToPhoneNumber", "103")],
    ),
    (
        "services/CallForwardingNoAnswer",
        "CallForwardingNoAnswer",
        &[("active", "true"), ("forwardToPhoneNumber", "103"), ("numberOfRings", "5")],
    ),
    ("services/CallWaiting", "CallWaiting", &[("active", "false")]),
    (
        "services/CallingLineIDDeliveryBlocking",
        "CallingLineIDDeliveryBlocking",
        &[("active", "true")],
    ),
    ("services/AnonymousCallRejection", "AnonymousCallRejection", &[("active", "true")]),
    (
        "services/RemoteOffice",
        "RemoteOffice",
        &[("active", "true"), ("remoteOfficeNumber", "+31612345678")],
    ),
    (
        "services/VoiceMessaging",
        "VoiceMessaging",
        &[("active", "true"), ("voiceMessageDeliveryEmailAddress", "m@x.example")],
    ),
    ("services/CallRecording", "CallRecording", &[("recordingMode", "on-demand")]),
    (
        "services/HotelingGuest",
        "HotelingGuest",
        &[("active", "true"), ("hostUserId", "102@lindeboom.example")],
    ),
    (
        "services/HotelingHost",
        "HotelingHost",
        &[("active", "true"), ("associationLimitHours", "8")],
    ),
    ("services/FlexibleSeatingGuest", "FlexibleSeatingGuest", &[("associationLimitHours", "7")]),
    (
        "services/DirectedCallPickupWithBargeIn",
        "DirectedCallPickupWithBargeIn",
        &[("enableBargeInWarningTone", "false")],
    ),
];

fn body(root: &str, fields: &[(&str, &str)]) -> String {
    let inside: String =
        fields.iter().map(|(name, value)| format!("<x:{name}>{value}</x:{name}>")).collect();
    format!("<x:{root} xmlns:x=\"http://schema.broadsoft.com/xsi\">{inside}</x:{root}>")
}

#[tokio::test]
async fn every_change_is_made_whole_and_in_order_or_not_at_all() {
    for profile in PROFILES {
        let pbx = start(profile).await;
        let client = Client::new(&pbx, "101");
        for (path, root, fields) in CHANGES {
            let path = client.own(path);
            let before = client.get(&path).await.document();
            let reversed: Vec<_> = fields.iter().rev().copied().collect();
            if fields.len() > 1 {
                let reply = client.put(&path, &body(root, &reversed)).await;
                assert_eq!(reply.error(), (400, true), "{path}");
            }
            let unknown = [("colour", "red")];
            assert_eq!(client.put(&path, &body(root, &unknown)).await.error(), (400, true));
            assert_eq!(client.get(&path).await.document(), before, "{path}");
            let reply = client.put(&path, &body(root, fields)).await;
            assert_eq!((reply.status, reply.body.len()), (200, 0), "{path}: {}", reply.text());
            let after = client.get(&path).await.document();
            for (name, value) in *fields {
                assert_eq!(after.value(name), Some(*value), "{path} {name}");
            }
            // What is left out stays.
            assert_eq!(client.put(&path, &body(root, &[])).await.status, 200);
            assert_eq!(client.get(&path).await.document(), after, "{path}");
        }
        pbx.stop().await;
    }
}

#[tokio::test]
async fn nil_clears_a_number() {
    let (pbx, client) = crate::desk().await;
    let path = client.own("services/CallForwardingBusy");
    let fields = [("active", "false"), ("forwardToPhoneNumber", "102")];
    client.put(&path, &body("CallForwardingBusy", &fields)).await;
    assert_eq!(client.get(&path).await.document().value("forwardToPhoneNumber"), Some("102"));
    let nil = "<CallForwardingBusy xmlns=\"http://schema.broadsoft.com/xsi\" \
        xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">\
        <forwardToPhoneNumber i:nil=\"true\"/></CallForwardingBusy>";
    assert_eq!(client.put(&path, nil).await.status, 200);
    assert_eq!(client.get(&path).await.document().value("forwardToPhoneNumber"), None);
    pbx.stop().await;
}

#[tokio::test]
async fn the_lists_of_lamps_and_of_the_receptionist_are_replaced() {
    let (pbx, client) = crate::desk().await;
    for (path, root, list) in [
        ("services/BusyLampField", "BusyLampField", "monitoredUserList"),
        ("services/BwReceptionist", "BroadWorksReceptionist", "monitoredUsers"),
    ] {
        let path = client.own(path);
        let users = |document: &crate::document::Node| -> Vec<String> {
            let list = document.child(list).unwrap();
            list.all("userDetails").map(|user| user.value("userId").unwrap().to_owned()).collect()
        };
        let all = users(&client.get(&path).await.document());
        assert!(all.len() > 40 && !all.contains(&client.id));
        let wanted = ["203@lindeboom.example", "201@lindeboom.example"];
        let inside: String = wanted
            .iter()
            .map(|id| format!("<userDetails><userId>{id}</userId></userDetails>"))
            .collect();
        let body = format!(
            "<{root} xmlns=\"http://schema.broadsoft.com/xsi\"><{list}>{inside}</{list}></{root}>"
        );
        assert_eq!(client.put(&path, &body).await.status, 200);
        assert_eq!(users(&client.get(&path).await.document()), wanted);
        let stranger = body.replace("203@", "999@");
        assert_eq!(client.put(&path, &stranger).await.error(), (400, true));
    }
    pbx.stop().await;
}

#[tokio::test]
async fn directories_are_paged_sorted_and_searched() {
    let (pbx, client) = crate::desk().await;
    let path = |query: &str| client.own(&format!("directories/Enterprise?{query}"));
    let mut seen = Vec::new();
    let mut start = 1;
    loop {
        let document = client.get(&path(&format!("start={start}&results=7"))).await.document();
        let number = |name: &str| document.value(name).unwrap().parse::<usize>().unwrap();
        assert_eq!(number("startIndex"), start);
        let rows: Vec<String> = document
            .child("enterpriseDirectory")
            .unwrap()
            .all("directoryDetails")
            .map(|row| row.value("userId").unwrap().to_owned())
            .collect();
        assert_eq!(rows.len(), number("numberOfRecords"));
        seen.extend(rows);
        start += number("numberOfRecords");
        if start > number("totalAvailableRecords") {
            break;
        }
    }
    let total = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), total, "a row came twice");
    assert!(total > 45);
    let find = |query: &'static str| {
        let (client, path) = (client.clone(), path(query));
        async move {
            let document = client.get(&path).await.document();
            let directory = document.child("enterpriseDirectory").unwrap().clone();
            let name = |row: &crate::document::Node| {
                let names = [row.value("firstName").unwrap(), row.value("lastName").unwrap()];
                names.join(" ")
            };
            directory.all("directoryDetails").map(name).collect::<Vec<String>>()
        }
    };
    // A letter that ISO-8859-1 does not have.
    assert_eq!(find("lastName=y%C4%B1l*%2Fi").await, ["Kim Yıldız"]);
    assert_eq!(find("lastName=y%C4%B1l*").await, Vec::<String>::new());
    assert_eq!(find("firstName=Sanne&lastName=Visser").await, ["Sanne Visser"]);
    let either = find("firstName=Sanne&lastName=Hendriks&searchCriteriaModeOr=true").await;
    assert!(either.contains(&"Joris Hendriks".to_owned()), "{either:?}");
    assert!(either.len() >= 2);
    assert_eq!(find("firstName=Hunt%20Group&colour=red").await.len(), 2);
    assert_eq!(find("firstName=Auto%20Attendant").await.len(), 1);
    let sorted = find("sortColumn=firstName&results=50").await;
    let mut again = sorted.clone();
    again.sort_by_key(|name| name.to_lowercase());
    assert_eq!(sorted[0], again[0]);
    for wrong in ["start=0", "results=1001", "results=x", "sortColumn=colour"] {
        assert_eq!(client.get(&path(wrong)).await.error(), (400, true), "{wrong}");
    }
    pbx.stop().await;
}

#[tokio::test]
async fn personal_numbers_are_added_and_removed() {
    let (pbx, client) = crate::desk().await;
    let path = client.own("directories/Personal");
    let entry = |name: &str| {
        format!(
            "<Personal xmlns=\"http://schema.broadsoft.com/xsi\"><entry><name>{name}</name>\
             <number>0201234567</number></entry></Personal>"
        )
    };
    assert_eq!(client.post(&path, &entry("Zoë")).await.status, 201);
    assert_eq!(client.post(&path, &entry("Zoë")).await.error(), (409, true));
    let document = client.get(&path).await.document();
    assert_eq!(document.at(&["entry", "name"]), Some("Zoë"));
    assert_eq!(client.delete(&format!("{path}/Zo%C3%AB")).await.status, 200);
    assert_eq!(client.delete(&format!("{path}/Zo%C3%AB")).await.error(), (404, true));
    pbx.stop().await;
}

#[tokio::test]
async fn json_follows_badger_fish() {
    let (pbx, client) = crate::desk().await;
    let path = client.own("directories/Enterprise?results=2&format=json");
    let reply = client.get(&path).await;
    assert!(reply.header("content-type").contains("json"));
    let value: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let rows = &value["Enterprise"]["enterpriseDirectory"]["directoryDetails"];
    assert_eq!(rows.as_array().map(Vec::len), Some(2));
    let one = client.own("directories/Enterprise?results=1");
    let headers =
        [("Authorization", client.authorization.as_str()), ("Accept", "application/json")];
    let reply = client.send_to(0, "GET", &one, &headers, "").await;
    let value: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let row = &value["Enterprise"]["enterpriseDirectory"]["directoryDetails"];
    assert!(row["userId"]["$"].is_string(), "{value}");
    let space = &value["Enterprise"]["@xmlns"]["$"];
    assert_eq!(space, "http://schema.broadsoft.com/xsi");
    pbx.stop().await;
}

#[tokio::test]
async fn fragments_have_no_namespace() {
    let (pbx, client) = crate::desk().await;
    for (path, root) in [
        ("directories/CallLogs/Missed", "missed"),
        ("services/BusyLampField/MonitoredUserList", "monitoredUserList"),
    ] {
        let document = client.get(&client.own(path)).await.document();
        assert_eq!((document.name.as_str(), document.is_bound), (root, false), "{path}");
    }
    let other = format!("{ACTIONS}/user/102@lindeboom.example/profile");
    assert_eq!(client.get(&other).await.error(), (403, true));
    pbx.stop().await;
}
