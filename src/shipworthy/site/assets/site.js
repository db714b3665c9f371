/* On every page: `/` goes to the search box; answers appear while typing. Data is loaded when it is first needed. */
"use strict";
(() => {
  const SW = (self.SW = self.SW || {});
  const root = document.documentElement.dataset.root || "";
  const box = document.getElementById("q");
  const panel = document.getElementById("found");
  let ready = null;

  function script(file) {
    return new Promise((done, failed) => {
      const made = document.createElement("script");
      made.src = root + file;
      made.onload = done;
      made.onerror = () => failed(new Error(file));
      document.head.append(made);
    });
  }

  SW.load = () => {
    ready =
      ready ||
      Promise.all([
        SW.search ? null : script("assets/search.js"),
        SW.ranked ? null : script("assets/ranking.js"),
        SW.pages ? null : script("data/pages.js"),
        SW.index ? null : script("data/index.js"),
      ]);
    return ready;
  };

  const make = (name, text, className) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  /* What tells a row from others of the same title: a rule's id, the framework of an id. */
  let framework = null;
  function apart(row) {
    if (row[0].startsWith("rule/")) return row[0].slice(5);
    if (!row[0].startsWith("item/")) return "";
    framework = framework || new Map(SW.pages.frameworks.flatMap(([, title, , items]) => items.map((one) => [SW.pages.rows[one], title])));
    return framework.get(row) || "";
  }

  /* A row of the data as a list item; `bare` without its kind, where all are of one. */
  SW.item = (row, bare) => {
    const made = make("li");
    const kind = SW.pages.kinds[row[0].slice(0, row[0].indexOf("/"))];
    const title = make("p", "", "t");
    const link = make("a", row[2]);
    link.href = root + row[1];
    title.append(link, " ");
    if (row[4]) title.append(make("span", row[4], "dim"), " ");
    if (!bare) title.append(make("span", kind, "tag"));
    if (row[13].length) title.append(" ", make("span", "superseded", "tag old"));
    else if (row[10] === "archived" || row[10] === "dormant") title.append(" ", make("span", row[10], "tag old"));
    if (apart(row)) title.append(" ", make("span", apart(row), "dim"));
    made.append(title);
    if (row[3]) made.append(make("p", row[3], "d"));
    return made;
  };

  function show(query) {
    const answer = SW.search(query);
    const list = make("ol");
    for (const place of answer.found.slice(0, 8)) {
      const row = SW.pages.rows[place];
      const made = make("li");
      const link = make("a");
      link.href = root + row[1];
      link.append(make("b", row[2]), " ", make("span", SW.pages.kinds[row[0].slice(0, row[0].indexOf("/"))], "tag"));
      if (apart(row)) link.append(" ", make("span", apart(row), "dim"));
      if (row[3]) link.append(make("span", row[3], "d"));
      made.append(link);
      list.append(made);
    }
    const count = answer.found.length;
    const said = make("p", "", "said");
    said.setAttribute("role", "status");
    said.append(count ? `${count.toLocaleString("en")} found` : "Nothing found", answer.told.length ? ` (${answer.told.join(", ")})` : "");
    if (count > 8) {
      const all = make("a", "see all");
      all.href = `${root}search.html?q=${encodeURIComponent(query)}`;
      said.append(". ", all);
    }
    panel.replaceChildren(said, list);
    panel.hidden = false;
  }

  async function typed() {
    const query = box.value.trim();
    if (query.length < 2) {
      panel.hidden = true;
      return;
    }
    try {
      await SW.load();
    } catch {
      panel.replaceChildren(make("p", "The search's data could not be loaded. Reload the page.", "said"));
      panel.hidden = false;
      return;
    }
    if (box.value.trim() === query) show(query);
  }

  if (box && panel) {
    const here = document.getElementById("browse") && /search\.html$/.test(location.pathname);
    if (!here) box.addEventListener("input", typed);
    box.addEventListener("focus", () => SW.load().catch(() => {}), { once: true });
    const links = () => [...panel.querySelectorAll("li a")];
    document.addEventListener("keydown", (event) => {
      const inField = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      if (event.key === "/" && !inField && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        box.focus();
        box.select();
      } else if (event.key === "Escape" && !panel.hidden) {
        panel.hidden = true;
        box.focus();
      } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !panel.hidden && panel.parentNode.contains(event.target)) {
        event.preventDefault();
        const all = [box, ...links()];
        const place = all.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1);
        all[Math.max(0, Math.min(all.length - 1, place))].focus();
      }
    });
    document.addEventListener("click", (event) => {
      if (!panel.parentNode.contains(event.target)) panel.hidden = true;
    });
    panel.parentNode.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !panel.parentNode.contains(event.relatedTarget)) panel.hidden = true;
    });
  }
})();
