//! The embedded PBX: registrar, exchange and simulated people of a demo company
