/* The hub's search, as in the terminal: the same index, the same steps, the same answers
   (src/shipworthy/hub/search.py, words.py, facets.py; ranking.js is of ranking.py; a test compares them). */
"use strict";
(() => {
  const SW = (self.SW = self.SW || {});
  const PREFIX = 0.75, LONGER = 0.35, TYPO = 0.55, SYNONYM = 0.75, EXPANSIONS = 40, ALL = 1.5, SCALE = 100;
  const LIGHT = 0.4, FULL = 0.34, PART = 0.35, PHRASE = 0.6, TITLE = 0.48, CLOSER = 80;
  const EDGES = /^["'`,;?!()[\]{}]+|["'`,;?!()[\]{}]+$/g;
  const OTHER_KINDS = ["topic", "rule", "item", "framework", "stage", "path"];
  const NAMES = ["kind", "stage", "topic", "framework", "year", "licence", "maintained", "pipeline", "level", "language"];
  const SAYS = { license: "licence", status: "maintained" };
  const SIGNS = { since: ">=", from: ">=", after: ">", before: "<", until: "<=" };
  const QUESTION = /\?\s*$|^(how|is|can|should|why|what|do|does|my)\b|\bis it\b/;
  const bare = (word) => word.toLowerCase().replace(/^[?,.!]+|[?,.!]+$/g, "");
  const alpha = (word) => /^[a-z]+$/.test(word);
  let engine = null;

  function plain(text) {
    return text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[‐‑‒–—]/g, "-");
  }

  function stemmer(ends) {
    const known = new Map();
    return (given) => {
      if (given.length < 4 || !alpha(given)) return given;
      if (known.has(given)) return known.get(given);
      let word = given;
      let cut = false;
      for (const [end, other] of ends) {
        if (word.endsWith(end) && word.length - end.length >= 3) {
          word = word.slice(0, -end.length) + other;
          cut = true;
          break;
        }
      }
      if (!cut && word.endsWith("s") && !/(ss|us|is)$/.test(word)) word = word.slice(0, -1);
      for (const end of ["ing", "ed", "er", "ers"]) {
        const at = word.length - end.length;
        if (end.startsWith("er") && word.slice(Math.max(0, at - 1), at) !== word.slice(Math.max(0, at - 2), Math.max(0, at - 1))) continue;
        if (word.endsWith(end) && at >= 4) {
          word = word.slice(0, at);
          const last = word[word.length - 1];
          if (last === word[word.length - 2] && !"lsz".includes(last)) word = word.slice(0, -1);
          break;
        }
      }
      if (word.endsWith("e") && word.length > 4) word = word.slice(0, -1);
      known.set(given, word);
      return word;
    };
  }

  /* The letters of a word as bits of two numbers: what differs in too many cannot be near. */
  function letters(word) {
    let low = 0, high = 0;
    for (let i = 0; i < word.length; i += 1) {
      const code = word.charCodeAt(i) & 63;
      if (code < 32) low |= 1 << code;
      else high |= 1 << (code - 32);
    }
    return [low, high];
  }

  function bits(number) {
    let count = 0;
    for (let left = number; left; left &= left - 1) count += 1;
    return count;
  }

  /* Letters to add, leave out, exchange or swap; `most` + 1 if more than `most`. */
  function edits(one, other, most) {
    let before = [], row = Array.from({ length: other.length + 1 }, (_, j) => j);
    for (let i = 1; i <= one.length; i += 1) {
      const last = before;
      before = row;
      row = [i];
      for (let j = 1; j <= other.length; j += 1) {
        let cost = Math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (one[i - 1] !== other[j - 1] ? 1 : 0));
        if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) cost = Math.min(cost, last[j - 2] + 1);
        row.push(cost);
      }
      if (Math.min(...row) > most && Math.min(...before) >= most) return most + 1;
    }
    return row[row.length - 1];
  }

  class Engine {
    constructor(index, rows) {
      this.rows = rows;
      this.terms = index.terms.split(" ");
      this.number = new Map(this.terms.map((term, place) => [term, place]));
      this.index = index;
      this.stop = new Set(index.stop);
      this.stem = stemmer(index.ends);
      this.same = new Map(index.same);
      this.longest = Math.max(1, ...index.same.map(([way]) => way.split(" ").length));
      this.near = new Map();
      this.light = new Set(index.more.map(this.stem));
    }

    scores(query, among) {
      const concepts = this.concepts(query);
      if (!concepts.length) return [];
      const total = new Map(), has = new Map();
      let weights = 0;
      for (const ways of concepts) {
        const best = new Map();
        for (const [way, factor] of ways)
          for (const [doc, score] of this.way(way)) if (score * factor > (best.get(doc) || 0)) best.set(doc, score * factor);
        const first = ways[0][0][0];
        const share = this.light.has(first) ? LIGHT : 1;
        let most = 0;
        for (const score of best.values()) if (score > most) most = score;
        /* A word that nothing has tells little, and so does one that everything has. */
        let weight = share * (best.size ? Math.log(1 + this.rows.length / best.size) : 0.5);
        if (/\d/.test(first)) weight *= 2;
        weights += weight;
        for (const [doc, score] of best) {
          total.set(doc, (total.get(doc) || 0) + score * share);
          has.set(doc, (has.get(doc) || 0) + weight * Math.min(1, score / (FULL * most)));
        }
      }
      const found = [];
      for (const [doc, score] of total) {
        if (among && !among.has(doc)) continue;
        found.push([doc, score * (has.get(doc) / weights) ** ALL * (this.index.prior[SW.kindOf(doc)] || 1) * this.index.weights[doc]]);
      }
      found.sort((a, b) => b[1] - a[1] || b[0] - a[0]);
      return this.sorted(this.closer(found, query, concepts));
    }

    /* What stands side by side as in the query, titles that were asked for, pages whose very name was. */
    closer(found, query, concepts) {
      const words = concepts.flatMap((ways) => ways[0][0].map((term) => this.meant(term)));
      const pairs = words.slice(1).map((word, place) => ` ${words[place]} ${word} `);
      const ways = new Set(concepts.flatMap((all) => all.flatMap(([way]) => way.map((term) => this.meant(term)))));
      const asked = words.join(" ");
      const said = plain(query).trim();
      const pieces = new Set(said.split(/\s+/).map((piece) => piece.replace(EDGES, "")));
      return found.map(([doc, given], place) => {
        let score = given;
        const title = this.index.titles[doc];
        if (place < CLOSER) {
          const text = ` ${this.index.texts[doc]} `;
          const own = title.split(" ").filter(Boolean);
          const together = pairs.length ? pairs.filter((pair) => text.includes(pair)).length / pairs.length : 0;
          const covered = own.length ? own.filter((word) => ways.has(word)).length / own.length : 0;
          score *= 1 + PHRASE * together + TITLE * covered;
        }
        const name = SW.idOf(doc).toLowerCase();
        if (name === said) score = score * 3 + SCALE;
        else if (pieces.has(name) || pieces.has(name.split(":")[0])) score *= alpha(name) ? 1.5 : 4;
        if (title === asked) score *= 2;
        else if (title.startsWith(`${asked} `)) score *= 1.25;
        return [doc, SW.rounded(score / SCALE)];
      });
    }

    /* A term as the index spells it. */
    meant(term) {
      const near = this.near.get(term);
      if (!near || !near.size || near.has(term)) return term;
      return [...near].reduce((a, b) => (b[1] > a[1] || (b[1] === a[1] && b[0] > a[0]) ? b : a))[0];
    }

    /* Best first; of equals, by the page's id. */
    sorted(found) {
      const page = (doc) => this.rows[doc][0];
      return found.sort((a, b) => b[1] - a[1] || (page(a[0]) < page(b[0]) ? -1 : 1));
    }

    concepts(query) {
      const every = this.ids(query);
      const kept = every.filter(([, word]) => !this.stop.has(word));
      const pairs = kept.length ? kept : every;
      const given = pairs.map((pair) => pair[0]), raw = pairs.map((pair) => pair[1]);
      const concepts = new Map();
      for (let place = 0; place < given.length; ) {
        let length = Math.min(this.longest, given.length - place);
        let ways = null;
        for (; length > 0; length -= 1) {
          const way = given.slice(place, place + length);
          const others = this.same.get(way.join(" "));
          if (others) {
            ways = [[way, 1], ...others.map((other) => [other.split(" "), SYNONYM])];
            if (length > 1) ways.push(...way.map((term) => [[term], PART]));
            break;
          }
        }
        if (!ways) {
          length = 1;
          ways = [[[given[place]], 1]];
        }
        if (length === 1 && raw.length > place + 1) {
          const made = [this.stem(raw[place] + raw[place + 1]), raw[place] + raw[place + 1], raw[place] + given[place + 1]];
          const joined = made.find((one) => this.number.has(one));
          if (joined) ways.push([[joined], 1.2]);
        }
        concepts.set(ways[0][0].join(" "), ways);
        place += length;
      }
      return [...concepts.values()];
    }

    ids(query) {
      const found = [];
      for (const piece of plain(query).split(/\s+/).filter(Boolean)) {
        const whole = piece.replace(EDGES, "");
        if (this.number.has(whole) && !alpha(whole)) found.push([whole, whole]);
        else
          for (const part of whole.matchAll(/[a-z0-9]+(?:['’][a-z]{1,2}(?![a-z]))?/g)) {
            const word = part[0].split("'")[0];
            found.push([this.stem(word), word]);
          }
      }
      return found;
    }

    way(way) {
      const parts = way.map((term) => this.term(term));
      if (parts.length === 1) return parts[0];
      const fewest = parts.reduce((a, b) => (b.size < a.size ? b : a));
      const share = (1 + 0.3 * (parts.length - 1)) / parts.length;
      const found = new Map();
      for (const doc of fewest.keys())
        if (parts.every((part) => part.has(doc))) found.set(doc, share * parts.reduce((sum, part) => sum + part.get(doc), 0));
      return found;
    }

    term(term) {
      if (!this.near.has(term)) this.near.set(term, this.expanded(term));
      const best = new Map();
      for (const [other, factor] of this.near.get(term)) {
        const flat = this.index.postings[this.number.get(other)];
        for (let i = 0, doc = 0; i < flat.length; i += 2) {
          doc += flat[i];
          const weight = flat[i + 1] * factor;
          if (weight > (best.get(doc) || 0)) best.set(doc, weight);
        }
      }
      return best;
    }

    expanded(term) {
      const found = new Map(this.number.has(term) ? [[term, 1]] : []);
      if (term.length >= 3) {
        let low = 0, high = this.terms.length;
        while (low < high) {
          const middle = (low + high) >> 1;
          if (this.terms[middle] < term) low = middle + 1;
          else high = middle;
        }
        for (const other of this.terms.slice(low, low + EXPANSIONS)) {
          if (!other.startsWith(term)) break;
          if (!found.has(other) && (alpha(other) || !alpha(term))) {
            const share = term.length / other.length;
            found.set(other, share < 0.99 ? (found.has(term) ? LONGER : PREFIX) * (0.5 + 0.5 * share) : 1);
          }
        }
      }
      if (found.size || term.length < 4 || !alpha(term)) return found;
      const near = this.misspelt(term);
      if (term.length <= 7 || Math.max(0, ...near.values()) >= TYPO) return near;
      const cut = this.misspelt(term.replace(/ion$/, "")); /* injektion is nearly inject */
      return cut.size ? cut : near;
    }

    misspelt(term) {
      const most = term.length < 6 ? 1 : 2;
      const found = new Map();
      let best = 0;
      this.letters = this.letters || this.terms.map(letters);
      const [low, high] = letters(term);
      for (const [place, other] of this.terms.entries()) {
        if (Math.abs(other.length - term.length) > most || !alpha(other)) continue;
        if (bits(low ^ this.letters[place][0]) + bits(high ^ this.letters[place][1]) > 2 * most) continue;
        const distance = edits(term, other, most);
        if (distance > most) continue;
        const factor = (TYPO / distance) * (other[0] === term[0] ? 1 : 0.7);
        found.set(other, factor);
        best = Math.max(best, factor);
      }
      return new Map([...found].filter(([, factor]) => factor >= best * 0.6));
    }
  }

  /* A query taken apart: words, facets, kinds that are likelier, what was understood. */
  function read(query, given) {
    const facets = new Map(Object.entries(given).filter(([, values]) => values.length).map(([name, values]) => [name, [...values]]));
    const told = [];
    const add = (name, value) => facets.set(name, [...(facets.get(name) || []), value]);
    let left = query.slice(0, 1000).replace(/([a-z]{2,12}):("[^"]{0,200}"|\S{1,200})/g, (all, word, value) => {
      const name = SAYS[word] || word;
      if (!NAMES.includes(name)) return all;
      add(name, value.replace(/^"+|"+$/g, ""));
      return " ";
    });
    const since = /\b(since|after|from|before|until|in) (?:the year )?(\d{4})\b/g;
    if (!facets.has("year") && since.test(left.toLowerCase())) {
      left = left.toLowerCase().replace(since, (all, word, year) => {
        if (year < 1980 || year > 2100) return all;
        add("year", `${SIGNS[word] || ""}${year}`);
        told.push(`year ${(SIGNS[word] || "=").replace(">=", "≥").replace("<=", "≤")} ${year}`);
        return " ";
      });
    }
    const kinds = SW.index.kinds;
    const known = (word) => Object.hasOwn(kinds, bare(word));
    const words = left.split(/\s+/).filter(Boolean);
    const likelier = new Set(words.flatMap((word) => (known(word) ? kinds[bare(word)].split(" ") : [])));
    if (likelier.size) {
      const rest = words.filter((word) => !SW.index.only.includes(bare(word)));
      if (rest.length) left = rest.join(" ");
    }
    const question = QUESTION.test(query.slice(0, 1000).toLowerCase());
    return { words: left.trim(), facets, likelier, told, question };
  }

  function inYears(value) {
    const found = /^(?:(?:(>=|<=|>|<)?(\d{4}))|(?:(\d{4})?(?:-|\.\.)(\d{4})?))$/.exec(value);
    if (!found) return () => false;
    const [, sign, one, first, last] = found;
    if (one) {
      const limit = Number(one);
      const tests = { ">=": (y) => y >= limit, "<=": (y) => y <= limit, ">": (y) => y > limit, "<": (y) => y < limit };
      return tests[sign] || ((y) => y === limit);
    }
    return (y) => Number(first || 0) <= y && y <= Number(last || 9999);
  }

  /* Numbers of the pages that a framework's value means: its own, those of its ids, an id of any edition. */
  function ofFramework(values) {
    const found = new Set();
    for (const value of values) {
      const low = value.toLowerCase();
      for (const [id, , own, items, ids] of SW.pages.frameworks) {
        if (id === low) [own, ...items].forEach((one) => found.add(one));
        else ids.forEach((name, place) => {
          const small = name.toLowerCase();
          if (small === low || small.startsWith(`${low}:`) || `${id}/${small}` === low) found.add(items[place]);
        });
      }
    }
    return found;
  }

  /* Has a row this facet, with one of these values? */
  function holds(name, values) {
    const P = SW.pages;
    const low = values.map((value) => value.toLowerCase());
    if (name === "kind") return (row) => values.includes(row[0].slice(0, row[0].indexOf("/")));
    if (name === "year") {
      const tests = values.map(inYears);
      return (row) => row[4] > 0 && tests.some((test) => test(row[4]));
    }
    if (name === "pipeline") return (row) => row[5].some((one) => values.includes(P.pipelines[one]));
    if (name === "stage") return (row) => row[6].some((one) => values.includes(P.stages[one][0]));
    if (name === "topic") return (row) => row[7].some((one) => values.includes(one));
    if (name === "framework") {
      const pages = ofFramework(values);
      return (row, place) => pages.has(place) || row[8].some((one) => pages.has(one));
    }
    const at = { licence: 9, maintained: 10, level: 11, language: 12 }[name];
    return (row) => low.includes(String(row[at]).toLowerCase());
  }

  /* The answers: numbers of rows, best first, and what was understood of the query. */
  function search(query, given = {}) {
    const rows = SW.pages.rows;
    if (!engine) engine = new Engine(SW.index, rows);
    const asked = read(query, given);
    let among = null;
    if (asked.facets.size) {
      const tests = [...asked.facets].map(([name, values]) => holds(name, values));
      among = new Set();
      rows.forEach((row, place) => tests.every((test) => test(row, place)) && among.add(place));
    }
    if (!asked.words) {
      return { found: SW.index.order.filter((doc) => among && among.has(doc)), told: asked.told, asked };
    }
    const scored = SW.ranked(engine, engine.scores(asked.words, among), asked, among);
    const scores = new Map(scored);
    for (const [doc, score] of scored.slice(0, 5))
      for (const next of rows[doc][13])
        if (!among || among.has(next)) scores.set(next, Math.max(scores.get(next) || 0, SW.rounded(score * 0.9)));
    return { found: engine.sorted([...scores]).map(([doc]) => doc), told: asked.told, asked };
  }

  SW.rounded = (score) => Math.round(score * 1e4) / 1e4;
  SW.kindOf = (doc) => SW.pages.rows[doc][0].slice(0, SW.pages.rows[doc][0].indexOf("/"));
  SW.idOf = (doc) => SW.pages.rows[doc][0].slice(SW.pages.rows[doc][0].indexOf("/") + 1);
  SW.plain = plain;
  SW.search = search;
  SW.holds = holds;
  SW.OTHER_KINDS = OTHER_KINDS;
})();
