"use strict";
(() => {
  const list = document.getElementById("list");
  const form = document.getElementById("filter");
  window.addEventListener("beforeprint", () => {
    for (const item of document.querySelectorAll("details")) item.open = true;
  });
  if (!list || !form) return;
  const body = list.tBodies[0];
  const rows = [...body.rows];
  const said = form.querySelector("output");
  const field = (name) => form.elements.namedItem(name);
  form.hidden = false;

  function filter() {
    const words = field("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const least = Number(field("severity").value);
    const category = field("category").value;
    const fresh = field("new").checked;
    let shown = 0;
    for (const row of rows) {
      const text = words.length ? row.textContent.toLowerCase() : "";
      row.hidden =
        Number(row.dataset.s) < least ||
        (category !== "" && row.cells[3].textContent !== category) ||
        (fresh && row.classList.contains("old")) ||
        !words.every((word) => text.includes(word));
      if (!row.hidden) shown += 1;
    }
    said.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
  }

  const keys = {
    s: (row) => Number(row.dataset.s),
    t: (row) => row.querySelector("summary").textContent,
    p: (row) => row.cells[2].textContent,
    c: (row) => row.cells[3].textContent,
  };
  function sort(head) {
    const up = head.getAttribute("aria-sort") !== "ascending";
    const key = keys[head.dataset.sort];
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const sign = up ? 1 : -1;
    const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
    rows.sort((a, b) => sign * compare(key(a), key(b)));
    body.append(...rows);
  }

  for (const head of list.querySelectorAll("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head));
    head.append(button);
  }
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());

  // In long lists a rule's text is on the page once; it is shown in place when a finding is opened.
  list.addEventListener(
    "toggle",
    (event) => {
      const item = event.target;
      if (!item.open || !item.dataset.r) return;
      const rule = document.getElementById(`r-${item.dataset.r}`);
      if (rule) item.querySelector("dl").prepend(...rule.querySelector("dl").cloneNode(true).childNodes);
      delete item.dataset.r;
    },
    true,
  );

  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const inner = target.matches("tr") ? target.querySelector("details") : target.closest("details");
    if (inner) inner.open = true;
  }
  window.addEventListener("hashchange", reveal);
  reveal();
  filter();
})();
