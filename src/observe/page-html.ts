/** @file The markup of the status page; the script fills the elements that have an id. */

/** Complete without the network: style and script come from the same origin. */
export const PAGE_HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Millrace</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
<script src="/page.js" defer></script>
</head>
<body>
<header>
<h1>Millrace <span id="job"></span></h1>
<p id="connection" role="status">connecting</p>
</header>
<main>
<section aria-labelledby="pace-title">
<h2 id="pace-title">Pace</h2>
<dl id="pace"></dl>
</section>
<section aria-labelledby="tasks-title">
<h2 id="tasks-title">Quality per task</h2>
<p class="hint">Each sample is scored before it is learned from; figures over the last samples.</p>
<div class="scroll" tabindex="0" role="region" aria-labelledby="tasks-title"><table id="tasks"></table></div>
</section>
<section aria-labelledby="events-title">
<h2 id="events-title">Where every event went</h2>
<p class="hint">Every record read is in exactly one of the columns.</p>
<div class="scroll" tabindex="0" role="region" aria-labelledby="events-title"><table id="events"></table></div>
</section>
<section aria-labelledby="model-title">
<h2 id="model-title">Model</h2>
<dl id="model"></dl>
</section>
</main>
<noscript>This page needs JavaScript; the same numbers are at <a href="/status">/status</a> and <a href="/metrics">/metrics</a>.</noscript>
</body>
</html>
`
