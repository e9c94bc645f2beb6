/* Two schemes of colours, of which the reader's system chooses; paper is light. Text has a contrast
 * of at least 4.5 to what it is on, lines and marks that tell something one of 3
 * (tests/system/html_check.py computes them). s0 to s5 are the series, h0 to h8 the correlations
 * from -1 to 1. */
#include "coordinator/report/html/page.h"

#define LIGHT                                                                                      \
    "--page:#f5f6f8;--card:#ffffff;--text:#1b1f24;--muted:#545c67;--grid:#e3e6ea;--axis:#79818c;"  \
    "--link:#1a5aa8;--s0:#1a5aa8;--s1:#b5470b;--s2:#0b7a5b;--s3:#8c3b8f;--s4:#7a6000;"             \
    "--s5:#5b6470;--h0:#ef9f6b;--h1:#f5bb95;--h2:#f9d5bd;--h3:#fcebdf;--h4:#f1f2f4;--h5:#e0ebf8;"  \
    "--h6:#c2d8f2;--h7:#9fc2ea;--h8:#79a9e0;"
#define DARK                                                                                       \
    "--page:#13161a;--card:#1b1f25;--text:#e6e9ed;--muted:#a7b0ba;--grid:#2d333b;--axis:#7d8794;"  \
    "--link:#8dbdf7;--s0:#7fb4f5;--s1:#f2955c;--s2:#4cc79e;--s3:#d99ad9;--s4:#dfc04f;"             \
    "--s5:#aab3be;--h0:#8f3d0c;--h1:#733717;--h2:#55301c;--h3:#3b2921;--h4:#272c33;--h5:#22344a;"  \
    "--h6:#214063;--h7:#1f4b80;--h8:#1c569e;"

const char *const nas_page_style[] = {
    ":root{color-scheme:light dark;" LIGHT "}\n",
    "@media (prefers-color-scheme:dark){:root{" DARK "}}\n",
    "@media print{:root{color-scheme:light;" LIGHT
    "}nav{display:none}section,.tile{break-inside:avoid}"
    "body{max-width:none}}\n",
    "*{box-sizing:border-box}\n",
    "body{margin:0 auto;padding:1.5rem 1rem 3rem;max-width:74rem;background:var(--page);"
    "color:var(--text);font:16px/1.5 system-ui,sans-serif}\n",
    "h1{margin:0;font-size:1.75rem;line-height:1.2;overflow-wrap:anywhere}\n",
    "h2{margin:0 0 .75rem;font-size:1.2rem}\n",
    "h3{margin:1.25rem 0 .25rem;font-size:1rem}\n",
    "p{margin:.4rem 0}\n",
    ".lead,.note,figcaption,footer,dt,small{color:var(--muted)}\n",
    ".note,figcaption,footer{font-size:.9rem}\n",
    "a{color:var(--link)}\n",
    "nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;margin:1rem 0 0;padding:0;list-style:none;"
    "font-size:.95rem}\n",
    ".tiles{display:flex;flex-wrap:wrap;gap:.75rem;margin:1rem 0 0}\n",
    ".tile{flex:1 1 9rem;padding:.6rem .9rem;background:var(--card);border:1px solid var(--grid);"
    "border-radius:.6rem}\n",
    "dt{font-size:.85rem}dd{margin:0;font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums}\n",
    "dd small{font-size:.85rem;font-weight:400}\n",
    "section{margin-top:1.25rem;padding:1.1rem 1.25rem 1.25rem;background:var(--card);"
    "border:1px solid var(--grid);border-radius:.8rem}\n",
    ".grid{display:grid;gap:1rem 1.75rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));"
    "align-items:start}\n",
    ".panels{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,15rem),1fr))}\n",
    "figure{margin:0;min-width:0}\n",
    "svg{display:block;width:100%;max-width:38rem;height:auto}\n",
    "svg.small{max-width:22rem}\n",
    "svg text{fill:var(--text);font:14px system-ui,sans-serif;font-variant-numeric:tabular-nums}\n",
    "svg .tick{fill:var(--muted);font-size:13px}svg .axis-name{fill:var(--muted)}\n",
    ".rule{fill:none;stroke:var(--grid)}.axis{fill:none}\n",
    ".axis{stroke:var(--axis)}\n",
    ".s0{color:var(--s0)}.s1{color:var(--s1)}.s2{color:var(--s2)}.s3{color:var(--s3)}"
    ".s4{color:var(--s4)}.s5{color:var(--s5)}\n",
    ".line{fill:none;stroke:currentColor;stroke-width:1.5;stroke-linejoin:round}\n",
    ".line.main{stroke-width:2.75}.line.thin{stroke-width:1;stroke-opacity:.35}\n",
    ".line.s1{stroke-dasharray:8 4}.line.s2{stroke-dasharray:2 3}.line.s3{stroke-dasharray:10 3 2 3}"
    ".line.s4{stroke-dasharray:5 2}.line.s5{stroke-dasharray:1 2}.line.thin{stroke-dasharray:none}\n",
    ".mark{fill:none;stroke:currentColor;stroke-width:1.5}\n",
    ".bar{fill:var(--s0)}.part{stroke:var(--text);stroke-width:1.5}\n",
    ".edge{fill:none;stroke:var(--s0);stroke-width:2}.edge.none{stroke:var(--axis);stroke-dasharray:3 4}\n",
    ".node{fill:var(--card);stroke:var(--s0);stroke-width:2}\n",
    "svg .halo{stroke:var(--card);stroke-width:5;paint-order:stroke;stroke-linejoin:round}\n",
    "svg .op{font-family:ui-monospace,monospace;font-size:12.5px}\n",
    ".keys{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:.5rem 0 0;padding:0;list-style:none;"
    "font-size:.9rem}\n",
    ".keys li{display:flex;align-items:center;gap:.4rem;overflow-wrap:anywhere;min-width:0}"
    "svg.key{flex:none;width:28px;height:12px}\n",
    ".scroll{overflow-x:auto}\n",
    "table{border-collapse:collapse;font-size:.93rem;font-variant-numeric:tabular-nums}\n",
    "th,td{padding:.28rem .9rem .28rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--grid);"
    "font-weight:400}\n",
    "thead th,tbody th{color:var(--muted)}td.n,th.n{text-align:right;white-space:nowrap}\n",
    "td:not(.n){overflow-wrap:anywhere}\n",
    ".heat{border-collapse:separate;border-spacing:2px}.heat th{border:0;padding:.2rem .5rem}"
    ".heat td{border:0;padding:.4rem .45rem;min-width:3.6rem;text-align:center;border-radius:.25rem}\n",
    ".heat td,.heat th{overflow-wrap:normal;white-space:nowrap}\n",
    ".h0{background:var(--h0)}.h1{background:var(--h1)}.h2{background:var(--h2)}.h3{background:var(--h3)}"
    ".h4{background:var(--h4)}.h5{background:var(--h5)}.h6{background:var(--h6)}.h7{background:var(--h7)}"
    ".h8{background:var(--h8)}\n",
    "@media (max-width:500px){th,td{padding-right:.6rem}section{padding:1rem}"
    "svg:not(.small) text{font-size:16.5px}svg:not(.small) .tick{font-size:16px}svg .op{font-size:14.5px!important}}\n",
    "code,pre{font-family:ui-monospace,monospace;font-size:.88rem}\n",
    ".arch{font-weight:600;overflow-wrap:anywhere}\n",
    "pre{margin:0;padding:.9rem 1rem;overflow-x:auto;background:var(--page);border-radius:.5rem}\n",
    NULL};
