/** Shows the tensors of a safetensors file: totals, a table that is sorted and filtered, and the metadata. All texts of the file stay texts. */
import { readHeader, Unreadable } from "./header.js";

/**
 * @typedef {import("drupe-ui").FileContext} FileContext
 * @typedef {import("drupe-ui").Host<FileContext>} Host
 * @typedef {import("./header.js").Header} Header
 * @typedef {import("./header.js").Tensor} Tensor
 * @typedef {{ find: string, sort: string, falls: boolean }} View
 * @typedef {{ key: string, title: string, isNumber: boolean, text: (tensor: Tensor, host: Host) => string, value: (tensor: Tensor) => number | string }} Column
 */

export const api = 1;
const ROWS = 500;

/** @type {readonly Column[]} */
const COLUMNS = [
  { key: "name", title: "Name", isNumber: false, text: (tensor) => tensor.name, value: (tensor) => tensor.name },
  { key: "type", title: "Type", isNumber: false, text: (tensor) => tensor.dtype, value: (tensor) => tensor.dtype },
  { key: "shape", title: "Shape", isNumber: true, text: ({ shape }) => `${shape.slice(0, 12).join(" × ") || "scalar"}${shape.length > 12 ? " × …" : ""}`, value: (tensor) => tensor.shape.length },
  { key: "parameters", title: "Parameters", isNumber: true, text: (tensor, host) => host.formatCount(tensor.parameters), value: (tensor) => tensor.parameters },
  { key: "size", title: "Size", isNumber: true, text: (tensor, host) => host.formatBytes(tensor.bytes), value: (tensor) => tensor.bytes },
];

/** @type {import("drupe-ui").Mount<FileContext>} */
export async function mount(element, { file }, host) {
  /** @type {Header} */
  let header;
  try {
    header = await readHeader(file);
  } catch (fault) {
    if (!(fault instanceof Unreadable)) throw fault;
    element.append(part("div", { class: "notice fault", role: "alert" }, part("h2", {}, "This file cannot be shown"), part("p", {}, fault.message)));
    return;
  }
  if (header.faults.length > 0) element.append(damage(header.faults));
  element.append(totals(header, host), table(header, host));
  if (header.metadata.length > 0) element.append(metadata(header.metadata));
}

/** @param {readonly string[]} faults */
function damage(faults) {
  const list = part("ul", { style: "margin: 0; padding-left: 20px; overflow-wrap: anywhere" }, ...faults.map((text) => part("li", {}, text)));
  return part("div", { class: "banner bad", role: "alert", style: "margin-bottom: 12px" }, part("strong", {}, "This file is damaged."), list);
}

/** @param {Header} header @param {Host} host */
function totals({ tensors, headerBytes }, host) {
  const types = new Map();
  for (const { dtype, parameters } of tensors) types.set(dtype, (types.get(dtype) ?? 0) + parameters);
  const sorted = [...types].sort((left, right) => right[1] - left[1]);
  const facts = {
    Tensors: host.formatCount(tensors.length),
    Parameters: host.formatCount(sum(tensors, "parameters")),
    Data: host.formatBytes(sum(tensors, "bytes")),
    Header: host.formatBytes(headerBytes),
    [sorted.length === 1 ? "Type" : "Types"]: sorted.map(([type, count]) => (sorted.length === 1 ? type : `${type} ${share(count, sum(tensors, "parameters"))}`)).join(", ") || "none",
  };
  return part("dl", { class: "facts", style: "margin-bottom: 16px" }, ...Object.entries(facts).flatMap(([name, text]) => [part("dt", {}, name), part("dd", {}, text)]));
}

/**
 * The filter above the table; what is asked for is kept in the page's address.
 *
 * @param {Header} header
 * @param {Host} host
 */
function table({ tensors }, host) {
  const view = viewOf(host.view);
  let most = ROWS;
  const told = part("span", { class: "soft", role: "status" });
  const body = part("tbody", {});
  const more = part("button", { type: "button", class: "button", style: "margin-top: 8px" });
  const find = /** @type {HTMLInputElement} */ (part("input", { class: "field", type: "search", placeholder: "Filter by name or type", "aria-label": "Filter tensors by name or type" }));
  const heads = COLUMNS.map((column) => {
    const button = part("button", { type: "button", class: "button plain", style: "padding: 0; min-height: 24px; font-weight: 500; color: inherit" }, column.title);
    const cell = part("th", { scope: "col", class: column.isNumber ? "number" : "" }, button);
    button.addEventListener("click", () => {
      // numbers are of most interest from the largest on
      view.falls = view.sort === column.key ? !view.falls : column.isNumber;
      view.sort = column.key;
      draw();
    });
    return { column, button, cell };
  });
  const draw = () => {
    host.setView(textOf(view));
    const wanted = view.find.trim().toLowerCase();
    const found = sorted(tensors.filter(({ name, dtype }) => name.toLowerCase().includes(wanted) || dtype.toLowerCase() === wanted), view);
    body.replaceChildren(...found.slice(0, most).map((tensor) => row(tensor, host)));
    told.textContent = wanted ? `${host.formatCount(found.length)} of ${host.formatCount(tensors.length)}: ${host.formatCount(sum(found, "parameters"))} parameters, ${host.formatBytes(sum(found, "bytes"))}` : "";
    more.style.display = found.length > most ? "" : "none";
    more.textContent = `Show ${host.formatCount(Math.min(ROWS, found.length - most))} more of ${host.formatCount(found.length - most)}`;
    for (const { column, button, cell } of heads) {
      const isSorted = view.sort === column.key;
      cell.setAttribute("aria-sort", isSorted ? (view.falls ? "descending" : "ascending") : "none");
      button.textContent = `${column.title}${isSorted ? (view.falls ? " ↓" : " ↑") : ""}`;
    }
  };
  find.value = view.find;
  find.addEventListener("input", () => {
    view.find = find.value;
    most = ROWS;
    draw();
  });
  more.addEventListener("click", () => {
    most += ROWS;
    draw();
  });
  draw();
  const head = part("thead", {}, part("tr", {}, ...heads.map(({ cell }) => cell)));
  return part(
    "div",
    {},
    part("div", { class: "row", style: "margin-bottom: 8px" }, find, told),
    part("div", { class: "scrolls viewer-table", tabindex: "0", role: "group", "aria-label": "Tensors" }, part("table", { class: "plain-table" }, head, body)),
    more,
  );
}

/** @param {Tensor} tensor @param {Host} host */
function row(tensor, host) {
  return part(
    "tr",
    {},
    ...COLUMNS.map((column) => {
      const text = column.text(tensor, host);
      if (column.key === "name") return part("th", { scope: "row", style: "color: inherit; font-weight: 400; min-width: 160px; white-space: normal; overflow-wrap: anywhere", dir: "auto" }, text || "(no name)");
      return part("td", { class: column.isNumber ? "number" : "", style: "white-space: nowrap" }, text);
    }),
  );
}

/** @param {Header["metadata"]} metadata */
function metadata(metadata) {
  const list = part("dl", { class: "facts", style: "grid-template-columns: minmax(90px, 25%) minmax(0, 1fr)" }, ...metadata.flatMap(([key, text]) => [part("dt", { style: "overflow-wrap: anywhere" }, key), part("dd", {}, text)]));
  return part("details", { open: "", style: "margin-top: 16px" }, part("summary", {}, "Metadata"), list);
}

/** @param {readonly Tensor[]} tensors @param {View} view */
function sorted(tensors, view) {
  const column = COLUMNS.find(({ key }) => key === view.sort);
  if (!column) return tensors;
  const turn = view.falls ? -1 : 1;
  return [...tensors].sort((left, right) => {
    const [one, other] = [column.value(left), column.value(right)];
    return turn * (typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other), undefined, { numeric: true }));
  });
}

/** What the address keeps: the filter, a colon, and the column with a minus where it falls. @param {string} text @returns {View} */
function viewOf(text) {
  const at = text.lastIndexOf(":");
  const sort = text.slice(at + 1);
  return { find: at < 0 ? "" : text.slice(0, at), sort: sort.replace("-", ""), falls: sort.startsWith("-") };
}

/** @param {View} view */
function textOf({ find, sort, falls }) {
  return find || sort ? `${find}:${falls ? "-" : ""}${sort}` : "";
}

/** @param {readonly Tensor[]} tensors @param {"parameters" | "bytes"} what */
function sum(tensors, what) {
  return tensors.reduce((total, tensor) => total + tensor[what], 0);
}

/** @param {number} count @param {number} all */
function share(count, all) {
  const percent = (100 * count) / all;
  return all === 0 ? "" : percent < 0.1 ? "under 0.1 %" : percent > 99.9 && percent < 100 ? "over 99.9 %" : `${percent.toFixed(1).replace(/\.0$/, "")} %`;
}

/** @param {string} name @param {Record<string, string>} attributes @param {readonly (Node | string)[]} children */
function part(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "style") made.style.cssText = value;
    else if (value || key === "open") made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}
