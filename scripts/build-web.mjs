// Bundles the page (web/) into dist/web: one script, one style sheet, the markup. Nothing is loaded from elsewhere.

import { copyFileSync, mkdirSync } from 'node:fs'
import { build } from 'esbuild'

mkdirSync('dist/web', { recursive: true })
await build({
  entryPoints: ['web/page.ts'],
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome123', 'firefox120', 'safari17.5'],
  outdir: 'dist/web',
  legalComments: 'eof',
  logLevel: 'warning',
})
copyFileSync('web/page.html', 'dist/web/page.html')
