//! What the server sends again because it got no acknowledgement.

use super::*;

#[test]
fn what_is_sent_again_on_the_next_channel_is_acknowledged_and_not_told() {
    let (mut pair, channel) = Pair::live(&[queue()]);
    let resync = |id: &str, sequence| {
        let data = "<xsi:eventData xsi1:type=\"xsi:ACDSubscriptionResyncEvent\"/>";
        envelope(id, sequence, "s1", data)
    };
    pair.bytes(channel, &resync("e5", 5));
    pair.bytes(channel, &event("e6", 6, "s1", Some("a:0")));
    assert_eq!(pair.told().len(), 2);
    pair.sent();
    pair.bytes(channel, &terminated("Expired"));
    pair.pass(seconds(1), false);
    let (channel, _) = pair.reopened();
    // An old list, and the caller who came after it.
    pair.bytes(channel, &resync("e5", 5));
    pair.bytes(channel, &event("e6", 6, "s1", Some("a:0")));
    assert!(pair.told().is_empty(), "they are told once");
    let acknowledged = pair.acknowledged();
    assert_eq!(acknowledged.len(), 2, "{acknowledged:?}");
    assert!(acknowledged.iter().all(|body| body.contains("<statusCode>200</statusCode>")));
    pair.bytes(channel, &resync("e7", 7));
    assert_eq!(pair.told().len(), 1);
}
