// The style of the human certificate: on a screen and on A4 or Letter.
#pragma once

namespace assay::certify {

inline constexpr char kPageStyle[] = R"css(
:root{--ink:#16202b;--soft:#5a6672;--line:#d5dbe1;--good:#17693a;--bad:#a61b1b;--open:#8a5a00}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:2rem 1.5rem;font:16px/1.5 system-ui,"Segoe UI",Roboto,sans-serif;color:var(--ink);background:#fff}
header{display:flex;gap:1.5rem;justify-content:space-between;align-items:flex-start;border-bottom:2px solid var(--ink);padding-bottom:1rem}
h1{font-size:1.7rem;margin:0 0 .3rem}
h2{font-size:1.15rem;margin:2rem 0 .5rem;break-after:avoid}
p{margin:.4rem 0}
.product{font-size:1.15rem}
.verdict{font-size:1.3rem;font-weight:700}
.tag{font-size:.8rem;font-weight:600;letter-spacing:.03em}
.pass{color:var(--good)}.fail{color:var(--bad)}.open{color:var(--open)}.soft{color:var(--soft)}
table{border-collapse:collapse;table-layout:fixed;width:100%;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.3rem 1rem .3rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
.many{columns:2;column-gap:2rem;padding:0;margin:.5rem 0;font-size:.88rem;list-style:none}
.many li{break-inside:avoid;padding:.15rem 0;overflow-wrap:anywhere}
th{font-weight:600;color:var(--soft)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.2rem;margin:.5rem 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
code{font:.86em/1.4 ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.box{border:1px solid var(--ink);padding:.7rem 1rem;margin:1rem 0;break-inside:avoid}
figure{margin:0;width:9.5rem;flex:none;text-align:center}
figure svg{width:100%;height:auto;display:block}
figcaption{font-size:.75rem;color:var(--soft)}
pre{margin:.4rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
tr{break-inside:avoid}
@media (max-width:40rem){header{flex-direction:column}.many{columns:1}dl{grid-template-columns:1fr}dt{margin-top:.4rem}}
@page{margin:16mm}
@media print{body{padding:0;max-width:none;font-size:10.5pt}a{color:inherit}}
)css";

}  // namespace assay::certify
