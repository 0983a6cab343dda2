import { resolve } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  // The program serves the page from its own root; nothing is inlined, so that the content policy can stay strict.
  build: {
    target: ['es2022', 'safari16'],
    assetsInlineLimit: 0,
    rollupOptions: {
      input: {
        main: resolve(import.meta.dirname, 'index.html'),
        incoming: resolve(import.meta.dirname, 'incoming.html'),
        wallboard: resolve(import.meta.dirname, 'wallboard.html'),
        queues: resolve(import.meta.dirname, 'queues.html'),
        lines: resolve(import.meta.dirname, 'lines.html'),
      },
    },
  },
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
  // Tests render for a browser, not for a server.
  ...(process.env.VITEST ? { resolve: { conditions: ['browser'] } } : {}),
  test: {
    environment: 'jsdom',
    // A limit and no measure: axe-core on the whole page takes half a minute on a machine that also compiles.
    testTimeout: 120_000,
    include: ['src/**/*.test.ts'],
    setupFiles: ['src/test-setup.ts'],
  },
});
