//! The style of the page: light and dark, from 320 px to paper.

/// Everything between `<style>` and `</style>`.
pub(super) const CSS: &str = "\
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;--line:#d0d7de;--soft:#f6f8fa;--open:#b42318;--exempt:#8a6100;\
--done:#1a7f37;--none:#57606a;--accent:#0b57d0}\
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9da7b3;--line:#30363d;--soft:#161b22;--open:#ff8d85;\
--exempt:#e3b341;--done:#56d364;--none:#9da7b3;--accent:#79b8ff}}\
*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}\
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
a{color:var(--accent)}.skip{position:absolute;left:-99em}.skip:focus{left:1em;top:1em;background:var(--bg);padding:.5em}\
header,main,footer{max-width:78rem;margin:0 auto;padding:0 1.25rem}header{padding-top:1.5rem}footer{padding-bottom:2rem;color:var(--dim)}\
h1{font-size:1.6rem;line-height:1.2;margin:.2em 0}h2{font-size:1.2rem;margin:2.2rem 0 .6rem}h3{font-size:1rem;margin:1.2rem 0 .4rem}\
.dim{color:var(--dim)}.lede{font-size:1.15rem;max-width:60ch;margin:.6rem 0 0}\
nav ul{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin:1rem 0 0;padding:0;list-style:none}\
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.75rem;margin:1.2rem 0;padding:0}\
.tiles li{list-style:none;border:1px solid var(--line);border-radius:.5rem;padding:.6rem .9rem;background:var(--soft)}\
.tiles li{font-size:.875rem;color:var(--dim)}.tiles span{display:block;font-weight:600;font-size:.95rem}\
.tiles b{font-size:1.8rem;line-height:1.2;font-variant-numeric:tabular-nums}\
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1rem}.c-readiness{grid-column:1/-1}\
figure{margin:0;border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem}figcaption{font-weight:600;margin-bottom:.4rem}\
svg{display:block;width:100%;overflow:visible}svg[viewBox]{height:auto}svg text{fill:var(--dim);font:12px system-ui,sans-serif}svg .axis{stroke:var(--line)}\
svg .area{fill:var(--open);opacity:.14}svg .curve{fill:none;stroke:var(--open);stroke-width:2}\
svg .ideal{stroke:var(--done);stroke-width:1.5;stroke-dasharray:6 4}svg .trend{stroke:var(--accent);stroke-width:1.5;stroke-dasharray:2 3}\
svg rect.v-READY{fill:var(--done)}svg rect.v-UNKNOWN{fill:var(--exempt)}svg rect.v-BLOCKED{fill:var(--open)}\
svg text.on{fill:var(--bg);font-size:14px;font-weight:600}\
svg .bar{fill:var(--open)}svg .bar2{fill:var(--accent)}svg .name{fill:var(--fg)}\
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.5rem}.scroll:focus{outline:2px solid var(--accent)}\
table{border-collapse:collapse;width:100%;font-size:.875rem}caption{text-align:left;padding:.5rem .75rem;color:var(--dim)}\
th,td{text-align:left;vertical-align:top;padding:.4rem .75rem;border-top:1px solid var(--line)}\
th{font-weight:600}thead th{background:var(--soft);white-space:nowrap}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
td.t{white-space:nowrap}.long{overflow-wrap:anywhere;min-width:7.5rem}ul.why{margin:0;padding-left:1.1rem;min-width:18rem}td.why{min-width:12rem}\
.tag{display:inline-block;border:1px solid currentColor;border-radius:1rem;padding:0 .55em;font-size:.8rem;font-weight:600;white-space:nowrap}\
.BLOCKED,.open,.x-expired,.x-malformed{color:var(--open)}.UNKNOWN,.exempt,.stale,.x-ending,.x-not-allowed{color:var(--exempt)}\
.READY,.fixed,.removed,.x-in-use{color:var(--done)}.blocked,.x-unused{color:var(--none)}\
details{margin:.6rem 0}summary{cursor:pointer;color:var(--accent)}code{font:.85em ui-monospace,Menlo,Consolas,monospace}\
@media(max-width:40rem){header,main,footer{padding-left:.75rem;padding-right:.75rem}h1{font-size:1.3rem}th,td{padding:.35rem .5rem}svg[viewBox] text{font-size:24px}svg .wide{display:none}ul.why{min-width:11rem}}\
@media print{:root{--bg:#fff;--fg:#000;--dim:#444;--line:#bbb;--soft:#f4f4f4;--open:#a11;--exempt:#750;--done:#161;--none:#444;--accent:#036}\
body{font-size:9.5pt}.skip,summary,nav{display:none}.tag{font-size:1em}.scroll{overflow:visible;border:0}tr,figure{break-inside:avoid}thead{display:table-header-group}\
table{font-size:8pt}th,td{padding:2pt 4pt}ul.why,td.why,.long{min-width:0}@page{size:A4 landscape;margin:12mm}}";
