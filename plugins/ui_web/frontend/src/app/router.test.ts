// @vitest-environment happy-dom
import { beforeEach, expect, test } from "vitest";
import { address, fromHash, go, parts, place, queryOf, setQuery, start, to, UNREADABLE } from "./router";

beforeEach(() => go("/"));

test("parts are encoded in addresses and decoded out of them, whatever they hold", () => {
  const name = "a/b ?#%<é>";
  go(address(to("models", name, "2")));
  expect(location.pathname).toBe("/models/a%2Fb%20%3F%23%25%3C%C3%A9%3E/2");
  expect(parts.value).toEqual(["models", name, "2"]);
});

test("a stray % that somebody typed stays as it is", () => {
  go("/models/100%");
  expect(parts.value).toEqual(["models", "100%"]);
});

test("a stray % beside what is encoded keeps neither from being read", () => {
  go("/models/100%/a%20b%");
  expect(parts.value).toEqual(["models", "100%", "a b%"]);
});

test("a part that is no text in any encoding is none, and the others stay", () => {
  go("/models/%E0%A4%A/1");
  expect(parts.value).toEqual(["models", UNREADABLE, "1"]);
});

test("a parameter is set beside others and taken away by nothing", () => {
  go("/runs?tab=log&x=1");
  const tab = queryOf("tab");
  setQuery({ tab: "charts", twin: "loss" });
  expect(location.search).toBe("?tab=charts&x=1&twin=loss");
  expect(tab.value).toBe("charts");
  setQuery({ tab: undefined, twin: "" });
  expect(location.search).toBe("?x=1");
  expect(tab.value).toBe("");
});

test("changes of a view leave no step in the history, going somewhere does", () => {
  const before = history.length;
  setQuery({ tab: "log" });
  expect(history.length).toBe(before);
  go("/models");
  expect(history.length).toBe(before + 1);
});

test("the parts of the path stay the same while parameters change", () => {
  go("/experiments/1?tab=table");
  const before = parts.value;
  setQuery({ tab: "charts" });
  expect(parts.value).toBe(before);
});

test("empty parameters are left out of addresses", () => {
  expect(address("compare", { runs: "a,b", tab: "", twin: undefined })).toBe("/compare?runs=a%2Cb");
});

test("addresses with a hash, as MLflow's clients print them, lead to the same things", () => {
  expect(fromHash("#/experiments/1/runs/abc")?.path).toBe("runs/abc");
  expect(fromHash("#/models/a%20b/versions/3")?.path).toBe("models/a%20b/3");
  expect(fromHash("#/experiments/1?x=y")?.query.get("x")).toBe("y");
  expect(fromHash("#main")).toBeNull();
});

test("a click on a link of this UI goes there without loading it, one with a key, to a file or to another window does not", () => {
  start();
  const click = (html: string, keys: MouseEventInit = {}) => {
    document.body.innerHTML = html;
    const event = new MouseEvent("click", { bubbles: true, cancelable: true, ...keys });
    document.addEventListener("click", (one) => one.defaultPrevented || one.preventDefault(), { once: true });
    document.querySelector("b")!.dispatchEvent(event);
    return place.value.path;
  };
  expect(click('<a href="/models/x"><b>x</b></a>')).toBe("models/x");
  expect(click('<a href="/plugins"><b>x</b></a>', { ctrlKey: true })).toBe("models/x");
  expect(click('<a href="/file" download><b>x</b></a>')).toBe("models/x");
  expect(click('<a href="/system" target="_blank"><b>x</b></a>')).toBe("models/x");
});
