// Opens pages of the report in a headless Chromium, as people do, and prints one line of JSON for each with all that is wrong.
//
//   node report.mjs CHROMIUM FOLDER PAGE.html...
//
// Each page is opened from disk, light and dark, at desktop and phone width, and printed to A4. FOLDER receives the pictures.
// The flags are root's: a container has no user namespaces for Chromium's own sandbox, and there is nothing but our own page in it.

import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [executablePath, folder, ...pages] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const args = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const VIEWS = [
  { name: "desktop-light", width: 1280, height: 900, colorScheme: "light" },
  { name: "desktop-dark", width: 1280, height: 900, colorScheme: "dark" },
  { name: "phone-light", width: 320, height: 640, colorScheme: "light" },
  { name: "phone-dark", width: 320, height: 640, colorScheme: "dark" },
];

// What the page shows, seen from inside. The page's own policy forbids scripts; the debugger's do not ask it.
function inspect() {
  const wrong = [];
  const charts = [...document.querySelectorAll("figure > svg")];
  for (const chart of charts) {
    const figure = chart.parentElement;
    const [title, description] = [chart.querySelector("title"), chart.querySelector("desc")];
    const labels = (chart.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id));
    if (!title?.textContent || !description?.textContent) wrong.push("a chart without title and description");
    if (labels.length !== 2 || labels[0] !== title || labels[1] !== description) wrong.push(`${title?.textContent}: labelled by something else`);
    const rows = figure.querySelectorAll("details table tbody tr").length;
    if (rows === 0) wrong.push(`${title?.textContent}: no data table`);
    const box = chart.getBoundingClientRect();
    if (box.width < 100 || box.height < 15) wrong.push(`${title?.textContent}: not visible, ${box.width} x ${box.height}`);
    if (!chart.querySelector("rect, polyline, polygon")) wrong.push(`${title?.textContent}: nothing drawn`);
  }
  const allowed = new Set(["META", "STYLE", "TITLE", "HTML", "HEAD", "BODY"]);
  const forbidden = "script, img, iframe, object, embed, link, form, input, base, video, audio, [src], [srcdoc], [style]";
  for (const element of document.querySelectorAll(forbidden)) {
    if (!allowed.has(element.tagName)) wrong.push(`<${element.tagName.toLowerCase()}> in the page`);
  }
  for (const element of document.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      if (name.startsWith("on")) wrong.push(`attribute ${name}`);
      // Pages of teams lie beside their index.
      if (name === "href" && !value.startsWith("#") && !/^[a-z0-9_-]+\.html$/.test(value)) wrong.push(`a link to ${value}`);
      if (name === "href" && value.startsWith("#") && !document.getElementById(value.slice(1))) wrong.push(`a link to nothing: ${value}`);
    }
  }
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) wrong.push(`scrolls sideways: ${root.scrollWidth} in ${root.clientWidth}`);
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  if (new Set(ids).size !== ids.length) wrong.push("an id twice");
  return { wrong, charts: charts.length, text: document.body.innerText, height: root.scrollHeight, background: getComputedStyle(document.body).backgroundColor };
}

async function look(browser, page, view, found) {
  const context = await browser.newContext({ viewport: { width: view.width, height: view.height }, colorScheme: view.colorScheme, bypassCSP: false });
  const tab = await context.newPage();
  const told = (what) => found.wrong.push(`${view.name}: ${what}`);
  const url = pathToFileURL(page).href;
  tab.on("request", (request) => { if (request.url() !== url) told(`asks for ${request.url()}`); });
  tab.on("console", (message) => told(`console: ${message.text()}`));
  tab.on("pageerror", (error) => told(`script: ${error}`));
  tab.on("dialog", async (dialog) => { told(`dialog: ${dialog.message()}`); await dialog.dismiss(); });
  await tab.goto(url, { waitUntil: "load" });
  const seen = await tab.evaluate(inspect);
  seen.wrong.forEach(told);
  Object.assign(found, { charts: seen.charts, text: seen.text });
  found.backgrounds.add(seen.background);
  await tab.evaluate(axe);
  // Rules of best practice too, not only those of WCAG.
  const result = await tab.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, help, nodes } of result.violations) told(`axe: ${id}: ${help}: ${nodes[0].html.slice(0, 200)} (${nodes.length})`);
  found.axe += result.passes.length;
  const name = basename(page, ".html");
  // Beyond some height the picture of a page takes longer than anybody waits.
  await tab.screenshot({ path: join(folder, `${name}-${view.name}.png`), fullPage: seen.height < 12000, timeout: 90_000 });
  if (view.name === "desktop-light") {
    const pdf = await tab.pdf({ path: join(folder, `${name}.pdf`), preferCSSPageSize: true });
    found.pdf = pdf.length;
    // Sizes of pages are in points: A4 is 595 x 842, either way up.
    const boxes = [...pdf.toString("latin1").matchAll(/\/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]/g)].map(([, w, h]) => [+w, +h].sort((a, b) => a - b));
    if (boxes.length === 0 || boxes.some(([w, h]) => Math.abs(w - 595) > 2 || Math.abs(h - 842) > 2)) told(`prints to ${JSON.stringify(boxes[0])}`);
    await tab.emulateMedia({ media: "print" });
    const cut = await tab.evaluate(() => [...document.querySelectorAll(".scroll")].filter((box) => getComputedStyle(box).overflowX !== "visible").length);
    if (cut > 0) told(`${cut} tables are cut in print`);
  }
  await context.close();
}

const browser = await chromium.launch({ executablePath, args, headless: true });
try {
  for (const page of pages) {
    const found = { page, wrong: [], backgrounds: new Set(), axe: 0 };
    // A page of thousands of rows takes long to judge: once light and wide, once dark and narrow.
    const views = readFileSync(page).length > 300_000 ? [VIEWS[0], VIEWS[3]] : VIEWS;
    for (const view of views) await look(browser, page, view, found);
    console.log(JSON.stringify({ ...found, backgrounds: found.backgrounds.size }));
  }
} finally {
  await browser.close();
}
