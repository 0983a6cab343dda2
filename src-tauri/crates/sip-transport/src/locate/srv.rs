//! The order of SRV records: priority, then chance by weight (RFC 2782).

use sip_core::Random;

use super::Srv;

/// Orders the records of one service. Among those of equal priority each place is drawn, the
/// chances in proportion to the weights; those of weight 0 have a very small one.
pub(super) fn ordered(mut records: Vec<Srv>, random: &mut Random) -> Vec<Srv> {
    records.sort_by_key(|record| (record.priority, record.weight));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|record| record.priority) {
        let end = records.iter().take_while(|record| record.priority == priority).count();
        let mut equals: Vec<Srv> = records.drain(..end).collect();
        while !equals.is_empty() {
            let sum: u64 = equals.iter().map(|record| u64::from(record.weight)).sum();
            let drawn = random.between(0, sum);
            let mut running = 0;
            let chosen = equals.iter().position(|record| {
                running += u64::from(record.weight);
                running >= drawn
            });
            ordered.push(equals.remove(chosen.unwrap_or_default()));
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use sip_core::Random;

    use super::{Srv, ordered};

    fn srv(priority: u16, weight: u16, host: &str) -> Srv {
        Srv { priority, weight, port: 5060, host: host.to_owned() }
    }

    #[test]
    fn priority_comes_before_weight() {
        let records = vec![srv(20, 100, "c"), srv(10, 0, "a"), srv(20, 1, "d"), srv(15, 9, "b")];
        for seed in 0..50 {
            let order = ordered(records.clone(), &mut Random::from_seed([seed; 32]));
            let hosts: Vec<&str> = order.iter().map(|record| record.host.as_str()).collect();
            assert_eq!(hosts.get(..2), Some(&["a", "b"][..]));
            assert_eq!(hosts.len(), 4);
        }
    }

    #[test]
    fn weights_are_chances() {
        let records = vec![srv(1, 60, "a"), srv(1, 30, "b"), srv(1, 10, "c"), srv(1, 0, "d")];
        let mut random = Random::from_seed([3; 32]);
        let mut first = std::collections::HashMap::<String, u32>::new();
        for _ in 0..10_000 {
            let order = ordered(records.clone(), &mut random);
            assert_eq!(order.len(), 4);
            *first.entry(order[0].host.clone()).or_default() += 1;
        }
        // Shares of 60, 30 and 10 out of 100, and of weight 0 once in 101.
        assert!((5_700..6_200).contains(&first["a"]), "{first:?}");
        assert!((2_750..3_200).contains(&first["b"]), "{first:?}");
        assert!((850..1_150).contains(&first["c"]), "{first:?}");
        assert!((50..160).contains(&first["d"]), "{first:?}");
    }

    #[test]
    fn weights_of_zero_are_all_tried() {
        let records = vec![srv(1, 0, "a"), srv(1, 0, "b")];
        assert_eq!(ordered(records, &mut Random::from_seed([0; 32])).len(), 2);
    }
}
