// Measures the window: node bench.mjs BINARY. One JSON line: milliseconds to the window and to a reachable desk, memory of all its processes.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Processes, privateEnvironment, startBus, startDisplay, startDriver } from './processes.mjs';
import { Session, until } from './webdriver.mjs';

const binary = resolve(process.argv[2] ?? '');
const processes = new Processes();
const home = mkdtempSync(join(tmpdir(), 'balie-bench-'));
let session;
try {
  const env = privateEnvironment(home, await startDisplay(processes));
  env.DBUS_SESSION_BUS_ADDRESS = await startBus(processes, env);
  const driver = await startDriver(processes, env);
  const began = performance.now();
  const args = ['--demo', '--audio', 'null', '--config-dir', join(home, 'settings')];
  session = await Session.open(driver, { 'webkitgtk:browserOptions': { binary, args } });
  const window = performance.now() - began;
  await session.enterMain();
  await until('a reachable desk', 60_000, () => session.exists('[data-account-state="registered"]'));
  const ready = performance.now() - began;
  console.log(JSON.stringify({ window_ms: Math.round(window), ready_ms: Math.round(ready), ...memory(env.HOME) }));
} finally {
  await session?.close().catch(() => undefined);
  await processes.end();
  rmSync(home, { recursive: true, force: true });
}

/** Proportional memory, MB, of the processes that live in this home and belong to the program. */
function memory(ofHome) {
  const parts = {};
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${ofHome}`)) continue;
      const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
      if (!/^(balie|WebKit(Net|Web|GPU))/.test(name) || name === 'WebKitWebDriver' || name === 'WebKitWebDriv') continue;
      const pss = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
      parts[name] = (parts[name] ?? 0) + Math.round(Number(pss) / 1024);
    } catch {
      // The process ended meanwhile.
    }
  }
  return { pss_mb: Object.values(parts).reduce((sum, part) => sum + part, 0), parts };
}
