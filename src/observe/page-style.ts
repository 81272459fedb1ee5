/** @file The look of the status page: system fonts, light and dark, readable from phone to desk. */

/** Follows the reader's colour scheme by `light-dark()`. */
export const PAGE_STYLE = `:root {
  color-scheme: light dark;
  --ground: light-dark(#f7f8fa, #14171c);
  --panel: light-dark(#ffffff, #1c2027);
  --text: light-dark(#1a1d23, #e6e9ee);
  --quiet: light-dark(#5b6472, #9aa4b2);
  --line: light-dark(#dde1e7, #303641);
  --bad: light-dark(#b3261e, #ff8a80);
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 70rem; padding: 1rem; background: var(--ground); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif }
header { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: baseline; justify-content: space-between }
h1 { font-size: 1.4rem; margin: .5rem 0 }
h1 span, .hint, dt, th { color: var(--quiet); font-weight: 400 }
h2 { font-size: 1.05rem; margin: 0 0 .5rem }
section { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 0 0 1rem }
.hint { margin: 0 0 .5rem; font-size: .875rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: .75rem; margin: 0 }
dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
.bad { color: var(--bad) }
`
