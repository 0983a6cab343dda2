// The processes a window test needs, each ended by its own id.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { until } from './webdriver.mjs';

/** Started processes, ended in reverse order. */
export class Processes {
  #running = [];

  /** Starts a program in a group of its own; its output goes to the given stream or nowhere. */
  start(command, args, options = {}) {
    const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const output = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => output.push(String(data)));
    const process_ = { child, command, output: () => output.join('') };
    child.on('error', (error) => output.push(String(error)));
    child.exited = new Promise((resolve) => child.on('exit', resolve));
    this.#running.push(process_);
    return process_;
  }

  /** Ends everything that was started, politely, then firmly. */
  async end() {
    for (const { child } of this.#running.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) continue;
      signal(child.pid, 'SIGTERM');
      const timer = setTimeout(() => signal(child.pid, 'SIGKILL'), 3_000);
      await child.exited;
      clearTimeout(timer);
    }
    this.#running = [];
  }
}

function signal(pid, name) {
  try {
    process.kill(-pid, name);
  } catch {
    // It is gone already.
  }
}

/** Nothing of the user's own machine is read or written. */
export function privateEnvironment(home, display) {
  const runtime = join(home, 'run');
  mkdirSync(runtime, { mode: 0o700, recursive: true });
  return {
    PATH: process.env.PATH,
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_RUNTIME_DIR: runtime,
    DISPLAY: display,
    GDK_BACKEND: 'x11',
    LANG: 'C.UTF-8',
    // What lets WebKit's driver into the window.
    TAURI_AUTOMATION: 'true',
    TAURI_WEBVIEW_AUTOMATION: 'true',
    NO_AT_BRIDGE: '1',
    // In layers, as with a graphics processor: else WebKit's driver waits without end for the picture of a page in which nothing changes.
    WEBKIT_DISABLE_COMPOSITING_MODE: '0',
    WEBKIT_DISABLE_DMABUF_RENDERER: '0',
    RUST_LOG: process.env.RUST_LOG ?? 'warn',
  };
}

/** A TCP port that nobody uses now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** A private display; resolves with its name. */
export async function startDisplay(processes, size = '1600x1000x24') {
  // The server chooses a free number itself and writes it on descriptor 3.
  const server = processes.start('Xvfb', ['-displayfd', '3', '-screen', '0', size, '-nolisten', 'tcp'], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  let said = '';
  server.child.stdio[3].on('data', (data) => (said += String(data)));
  await until('the display', 15_000, async () => /^\d+\n/.test(said));
  return `:${said.trim()}`;
}

/** A session bus; resolves with its address. */
export async function startBus(processes, env) {
  const bus = processes.start('dbus-daemon', ['--session', '--nofork', '--print-address=1'], { env });
  return until('the session bus', 15_000, async () => /^(unix:\S+)/m.exec(bus.output())?.[1]);
}

/** WebKit's driver; resolves with its address. */
export async function startDriver(processes, env) {
  const port = await freePort();
  const driver = processes.start('WebKitWebDriver', ['--host=127.0.0.1', `--port=${port}`], { env });
  const base = `http://127.0.0.1:${port}`;
  await until('the web driver', 15_000, async () => {
    if (driver.child.exitCode !== null) throw new Error(driver.output());
    return (await fetch(`${base}/status`)).ok;
  });
  return base;
}

/** WebKitGTK's own browser of one page, where it is installed. */
export function miniBrowser() {
  const places = ['/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser', '/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser', '/usr/libexec/webkit2gtk-4.1/MiniBrowser'];
  return places.find((place) => existsSync(place));
}

/** What the window tells its web engine on a machine without a graphics processor. */
export const PLAIN = { WEBKIT_DISABLE_COMPOSITING_MODE: '1', WEBKIT_DISABLE_DMABUF_RENDERER: '1' };

/** What it tells its web engine on this machine. */
export const plainPainting = () => (existsSync('/dev/dri') ? {} : PLAIN);

/** What it tells a web engine that paints plainly, so that no GL is loaded: an EGL that draws nothing stands beside the program. */
export function withoutGl(binary, home) {
  const folder = join(home, 'egl');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'no-gl.json'), JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: join(dirname(binary), 'libbalie_no_gl.so') } }));
  return { GDK_GL: 'disable', WEBKIT_WEB_RENDER_DEVICE_FILE: '/dev/dri/none', __EGL_VENDOR_LIBRARY_DIRS: `${folder}:/etc/glvnd/egl_vendor.d:/usr/share/glvnd/egl_vendor.d` };
}
