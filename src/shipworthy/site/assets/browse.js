/* Lists with facets: on the page of a kind over its entries, on the search's page over everything. */
"use strict";
(() => {
  const SW = self.SW;
  const place = document.getElementById("browse");
  if (!place || !SW || !SW.pages) return;
  const P = SW.pages;
  const fixed = place.dataset.kind;
  const plain = document.getElementById("plain");
  const STEP = 40;
  const REST = 200; // milliseconds
  const kindOf = (row) => row[0].slice(0, row[0].indexOf("/"));
  const framework = new Map();
  for (const [id, , own, items] of P.frameworks) for (const one of [own, ...items]) framework.set(one, id);
  /* name, label, the values that a row has, how a value is shown */
  const titles = new Map(P.stages);
  const own = (map, name) => (Object.hasOwn(map, name) ? map[name] : ""); // a value comes from the address: `constructor`
  const FACETS = [
    ["kind", "Kind", (row) => [kindOf(row)], (value) => own(P.kinds, value)],
    ["pipeline", "Pipeline", (row) => row[5].map((one) => P.pipelines[one]), (value) => own({ ml: "MLSecOps", dev: "DevSecOps" }, value)],
    ["stage", "Stage", (row) => row[6].map((one) => P.stages[one][0]), (value) => titles.get(value)],
    ["topic", "Topic", (row) => row[7], (value) => own(P.words, value) || value],
    ["framework", "Framework", (row, at) => [...new Set([at, ...row[8]].map((one) => framework.get(one)).filter(Boolean))], (value) => (P.frameworks.find((one) => one[0] === value) || [])[1]],
    ["year", "Year", (row) => (row[4] ? [String(row[4])] : []), (value) => value],
    ["licence", "Licence", (row) => (row[9] ? [row[9]] : []), (value) => value.replace("LicenseRef-", "")],
    ["maintained", "Maintained", (row) => (row[10] ? [row[10]] : []), (value) => value.replace("-", " ")],
  ]
    .filter(([name]) => !(fixed && name === "kind"))
    .map(([name, label, values, show]) => {
      const kept = new Array(P.rows.length); // the values of a row, found out once: they are counted at every letter
      return [name, label, (row, at) => (kept[at] = kept[at] || [...new Set(values(row, at))]), show];
    });

  const form = document.createElement("form");
  form.className = "filter";
  form.setAttribute("aria-label", "Filters");
  const fields = new Map();
  const label = (text, field) => {
    const made = document.createElement("label");
    made.append(text, field);
    form.append(made);
  };
  const text = document.createElement("input");
  text.type = "search";
  text.name = "q";
  text.maxLength = 300;
  text.autocomplete = "off";
  label("Words", text);
  for (const [name, title] of FACETS) {
    const field = document.createElement("select");
    field.name = name;
    fields.set(name, field);
    label(title, field);
  }
  const clear = document.createElement("button");
  clear.type = "reset";
  clear.textContent = "Clear";
  form.append(clear);
  const said = document.createElement("output");
  said.setAttribute("aria-live", "polite");
  const list = document.createElement("ul");
  list.className = "rows";
  list.id = "answers";
  const more = document.createElement("button");
  more.type = "button";
  more.textContent = "Show more";
  place.append(form, said, list, more);
  if (plain) plain.hidden = true;
  const holder = document.createElement("div");
  holder.className = "filter";
  more.replaceWith(holder);
  holder.append(more);

  const start = new URLSearchParams(location.search);
  text.value = start.get("q") || "";
  const top = document.getElementById("q");
  if (!fixed && top) top.value = text.value;
  let wanted = Object.fromEntries(FACETS.map(([name]) => [name, start.get(name) || ""]));
  let answers = [];
  let shown = 0;
  let later = 0;

  function chosen(but) {
    const given = fixed ? { kind: [fixed] } : {};
    for (const [name] of FACETS) if (wanted[name] && name !== but) given[name] = [wanted[name]];
    return given;
  }

  function having(rows, given) {
    const tests = Object.entries(given).map(([name, values]) => SW.holds(name, values));
    return rows.filter((one) => tests.every((test) => test(P.rows[one], one)));
  }

  function options(found) {
    for (const [name, , values, show] of FACETS) {
      const counts = new Map();
      for (const one of having(found, chosen(name)))
        for (const value of values(P.rows[one], one)) counts.set(value, (counts.get(value) || 0) + 1);
      if (wanted[name] && !counts.has(wanted[name])) counts.set(wanted[name], 0);
      const field = fields.get(name);
      const order = [...counts].map(([value, count]) => [value, String(show(value) || value), count]);
      order.sort((a, b) => (name === "year" ? b[1].localeCompare(a[1]) : a[1].localeCompare(b[1], "en")));
      const made = order.map(([value, words, count]) => new Option(`${words} (${count})`, value));
      field.replaceChildren(new Option("any", ""), ...made);
      field.value = wanted[name];
      field.disabled = !order.length;
    }
  }

  function page() {
    list.append(...answers.slice(shown, shown + STEP).map((one) => SW.item(P.rows[one], Boolean(fixed))));
    shown = Math.min(answers.length, shown + STEP);
    holder.hidden = shown >= answers.length;
  }

  /* While somebody types, the list changes with every letter; the counts of the facets follow when the typing rests. */
  function update(typing = false) {
    const query = text.value.trim();
    const base = fixed ? { kind: [fixed] } : {};
    const asked = SW.search(query, base);
    const every = query ? asked.found : fixed ? asked.found : P.rows.map((_, one) => one);
    clearTimeout(later);
    if (typing) later = setTimeout(() => options(every), REST);
    else options(every);
    const any = query || fixed || Object.values(wanted).some(Boolean);
    answers = any ? having(every, chosen("")) : [];
    if (!query) answers.sort((a, b) => P.rows[a][2].localeCompare(P.rows[b][2], "en"));
    list.replaceChildren();
    shown = 0;
    page();
    const told = asked.told.length ? ` (${asked.told.join(", ")})` : "";
    said.textContent = any ? `${answers.length.toLocaleString("en")} found${told}` : "Type words, or choose a filter.";
    const params = new URLSearchParams();
    if (query) params.set("q", query);
    for (const [name, value] of Object.entries(wanted)) if (value) params.set(name, value);
    try {
      history.replaceState(null, "", `${location.pathname}${params.size ? `?${params}` : ""}`);
    } catch {
      /* a browser may forbid it for files; the list works without */
    }
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    for (const [name, field] of fields) wanted[name] = field.value;
    update(event.target === text);
  });
  form.addEventListener("reset", () => {
    wanted = Object.fromEntries(FACETS.map(([name]) => [name, ""]));
    setTimeout(() => update());
  });
  if (!fixed && top) {
    top.addEventListener("input", () => {
      text.value = top.value;
      update(true);
    });
    top.form.addEventListener("submit", (event) => event.preventDefault());
  }
  more.addEventListener("click", page);
  SW.load().then(() => update(), () => {
    if (plain) plain.hidden = false;
    said.textContent = "The search's data could not be loaded.";
  });
})();
