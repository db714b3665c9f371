/* What a query says besides its words, and what the best answers tell: the steps of src/shipworthy/hub/ranking.py. */
"use strict";
(() => {
  const SW = (self.SW = self.SW || {});
  const LIKELIER = 4, LENT = 0.09, LENDS = 3, ALIKE = 1, OTHERS = 0.5, OWED = 0.05, AGAIN = 0.4;
  const FIRST = 10, LOOKED_AT = 200, SHARED = 0.15;
  const EXPLAINS = { topic: 2, stage: 2, "best-practice": 1.3, article: 1.3, standard: 1.3, framework: 1.3, path: 1.5 };
  let named = null;

  /* Pages of the kinds that a query names, and for a question those that explain, come sooner. */
  function byKind(scored, asked) {
    if (!asked.likelier.size && !asked.question) return scored;
    const factor = (kind) => {
      if (asked.likelier.size) return asked.likelier.has(kind) ? LIKELIER : 1;
      return EXPLAINS[kind] || 1;
    };
    return scored.map(([doc, score]) => [doc, SW.rounded(score * factor(SW.kindOf(doc)))]);
  }

  /* Pages that the best topic pages name come sooner, if they have words of the query too. */
  function ofTheTopic(scored) {
    const lent = new Map();
    for (const [doc, score] of scored.slice(0, LENDS)) {
      if (!["topic", "item", "stage"].includes(SW.kindOf(doc))) continue;
      let other = 0;
      for (const step of SW.index.links[doc] || []) {
        other += step;
        lent.set(other, Math.max(lent.get(other) || 0, LENT * score));
      }
    }
    return lent.size ? scored.map(([doc, score]) => [doc, SW.rounded(score + (lent.get(doc) || 0))]) : scored;
  }

  /* Entries that are about what the best answers are about come sooner (feedback from the first answers). */
  function alike(scored) {
    const { of, counts, entries } = SW.index.traits;
    const first = scored.slice(0, FIRST).filter(([doc]) => of[doc]);
    if (first.length < 3) return scored;
    const shares = new Map();
    const whole = first.reduce((sum, [, score]) => sum + score, 0) || 1;
    for (const [doc, score] of first)
      for (const trait of of[doc]) shares.set(trait, (shares.get(trait) || 0) + score / whole);
    const worth = new Map();
    for (const [trait, share] of shares)
      if (share > SHARED) worth.set(trait, share * Math.max(0, Math.log((share * entries) / counts[trait])));
    const near = new Map();
    let most = 0;
    for (const [doc] of scored.slice(0, LOOKED_AT)) {
      if (!of[doc]) continue;
      const sum = of[doc].reduce((all, trait) => all + (worth.get(trait) || 0), 0);
      near.set(doc, sum);
      most = Math.max(most, sum);
    }
    if (!most) return scored;
    const how = (doc) => (near.has(doc) ? near.get(doc) : OTHERS * most);
    return scored.map(([doc, score]) => [doc, SW.rounded(score * (1 + (ALIKE * how(doc)) / most))]);
  }

  /* Topics that the best entries and rules are about come sooner, if they have words of the query too. */
  function explained(scored) {
    const scores = new Map(scored);
    const { helps } = SW.index;
    for (const [doc, score] of scored.slice(0, FIRST)) {
      if (["topic", "stage", "item", "framework", "path"].includes(SW.kindOf(doc))) continue;
      for (const name of new Set(SW.pages.rows[doc][7])) {
        const topic = Object.hasOwn(helps, name) ? helps[name] : -1;
        if (scores.has(topic)) scores.set(topic, SW.rounded(scores.get(topic) + OWED * score));
      }
    }
    return [...scores];
  }

  /* Of rules that say the same in the words of several programs, the best comes first and the others later. */
  function once(scored) {
    const seen = new Set();
    return scored.map(([doc, score]) => {
      if (SW.kindOf(doc) !== "rule") return [doc, score];
      const title = SW.pages.rows[doc][2];
      const again = seen.has(title);
      seen.add(title);
      return [doc, SW.rounded(again ? score * AGAIN : score)];
    });
  }

  /* Every id of a framework, as it is looked up: [row, its framework's rows, its framework's ids]. */
  function names() {
    if (named) return named;
    const known = new Map();
    const byFramework = new Map(SW.pages.frameworks.map((one) => [one[0], one]));
    const every = [];
    for (const id of SW.index.frameworks) {
      const [, , , items, ids] = byFramework.get(id);
      ids.forEach((name, place) => {
        const one = { row: items[place], name, items, ids };
        every.push(one);
        if (!known.has(name)) known.set(name, one);
        known.set(`${id}/${name}`, one);
      });
    }
    const rows = new Map(every.map((one) => [one.row, one]));
    for (const [old, row] of SW.index.aliases) if (!known.has(old)) known.set(old, rows.get(row));
    named = { known, every };
    return named;
  }

  function itemsOf(piece) {
    if (!/\d/.test(SW.plain(piece))) return [];
    const { known, every } = names();
    const resolve = (id) => known.get(id) || known.get(id.replace(/^item\//, ""));
    const found = resolve(piece) || resolve(piece.toUpperCase());
    if (found) return [found];
    const low = piece.toLowerCase();
    return every.filter((one) => one.name.toLowerCase() === low || one.name.toLowerCase().startsWith(`${low}:`));
  }

  /* The rules that have an item, or a part of it. */
  function rulesOf(item) {
    const wanted = new Set([item.row]);
    item.ids.forEach((id, place) => {
      if (id.length > item.name.length && id.startsWith(item.name) && ".(".includes(id[item.name.length])) wanted.add(item.items[place]);
    });
    const found = [];
    SW.pages.rows.forEach((row, place) => row[0].startsWith("rule/") && row[8].some((one) => wanted.has(one)) && found.push(place));
    return found;
  }

  /* Whoever asks for the rules of an id gets it, the rules that have it, and what explains them. */
  function byId(scored, asked, among) {
    if (!asked.likelier.has("rule")) return scored;
    const pieces = asked.words.split(/\s+/).map((piece) => piece.replace(/^["'`,;?!()[\]{}]+|["'`,;?!()[\]{}]+$/g, ""));
    const items = new Map(pieces.flatMap(itemsOf).map((one) => [one.row, one]));
    if (!items.size) return scored;
    const rows = SW.pages.rows;
    const most = scored.length ? scored[0][1] : 1;
    const scores = new Map(scored);
    const better = (a, b) => (scores.get(b) || 0) - (scores.get(a) || 0) || (rows[a][0] < rows[b][0] ? -1 : 1);
    const rules = [...new Set([...items.values()].flatMap(rulesOf))].sort(better);
    const often = new Map();
    for (const rule of rules) {
      const topic = SW.index.helps[rows[rule][7][0]];
      if (topic !== undefined) often.set(topic, (often.get(topic) || 0) + 1);
    }
    const topics = [...often.keys()].sort((a, b) => often.get(b) - often.get(a) || better(a, b));
    const own = [...items.keys()];
    const first = [...own.slice(0, 1), ...rules.slice(0, 3), ...topics.slice(0, 1), ...own.slice(1), ...rules.slice(3), ...topics.slice(1)];
    first
      .filter((doc) => !among || among.has(doc))
      .forEach((doc, place) => scores.set(doc, SW.rounded(most * (2 - place / (first.length + 1)))));
    return [...scores];
  }

  SW.ranked = (engine, given, asked, among) => {
    let scored = engine.sorted(byKind(given, asked));
    scored = engine.sorted(ofTheTopic(scored));
    scored = engine.sorted(alike(scored));
    scored = engine.sorted(explained(scored));
    scored = engine.sorted(once(scored));
    return engine.sorted(byId(scored, asked, among));
  };
})();
