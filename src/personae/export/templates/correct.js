const correct = document.getElementById("correct");
if (correct) {
  const [PERSON, NOT] = [6, 7];
  let lines = JSON.parse(correct.dataset.lines);
  const columns = correct.dataset.columns.split(",");
  const links = correct.dataset.links;
  const who = document.getElementById("who");
  const said = document.getElementById("said");
  const desk = document.getElementById("desk");
  const begin = document.getElementById("begin");
  const undo = document.getElementById("undo");
  const rows = Array.from(document.querySelectorAll("article"));
  const faces = Array.from(document.querySelectorAll(".face"));
  const cards = Array.from(document.querySelectorAll(".question"));
  const before = [];  // what was, for each change that can be undone
  const SEEN = 4;  // faces of a person that stand for the others
  const unnamed = /^Person ([1-9]\d*)$/i;
  const formula = /^[\s=+\-@\uff1d\uff0b\uff0d\uff20]/;
  let unsaved = 0;
  let clicked;  // the face that a range begins at
  let last = rows.length;
  for (const cell of lines.flatMap((line) => [line[PERSON], line[NOT]])) last = Math.max(last, Number(unnamed.exec(cell)?.[1] ?? 0));

  const facesOf = (row) => Array.from(row.querySelectorAll(".face"));
  const sureOf = (row) => {
    const sure = facesOf(row).filter((face) => !face.classList.contains("doubtful"));
    return sure.length ? sure : facesOf(row);
  };
  const isChosen = (face) => face.classList.contains("chosen");
  const stays = (row) => (face) =>
    !isChosen(face) && !face.classList.contains("doubtful") && (face.dataset.said ?? row.dataset.called) === row.dataset.called;

  const folded = (name) => name.toUpperCase().toLowerCase();
  const spelled = (name) => {  // as somebody else has it who has it in other capitals
    const others = faces.filter((face) => !isChosen(face) && !face.classList.contains("doubtful"));
    const names = others.map((face) => face.dataset.said ?? face.closest("article")?.dataset.called);
    return names.find((one) => one && folded(one) === folded(name)) ?? name;
  };
  const photoOf = (face) => {
    const photo = decodeURIComponent(face.getAttribute("href").slice(links.length).split("#t=")[0]);
    return formula.test(photo) ? `./${photo}` : photo;
  };
  const say = (face, person, other) => {
    lines.push([photoOf(face), ...face.dataset.place.split(","), person, other, face.dataset.content]);
    face.dataset.said = person;
    unsaved += 1;
  };
  const refuse = (face, person) => {
    say(face, "", person);
    face.dataset.says = `not ${unnamed.test(person) ? "this person" : person}`;
  };
  const rename = (old, name) => {
    lines = lines.map((line) => line.map((cell, at) => ((at === PERSON || at === NOT) && cell === old ? name : cell)));
    for (const face of faces) if (face.dataset.said === old) face.dataset.said = name;
    for (const row of rows) if (row.dataset.called === old) call(row, name);
  };
  const call = (row, name) => {
    row.dataset.called = name;
    if (!unnamed.test(name)) entitle(row, name);
  };
  const entitle = (row, text) => {
    for (const link of document.querySelectorAll(`a[href="#${row.id}"]`)) link.textContent = text;
  };
  const mark = (place, key, text) => {
    if (text === undefined) delete place.dataset[key];
    else place.dataset[key] = text;
  };
  const remember = () => before.push({
    lines: [...lines], unsaved, last,
    faces: faces.map(({ dataset }) => [dataset.said, dataset.says]),
    rows: rows.map((row) => [row.dataset.called, row.querySelector("h2 a").textContent]),
    cards: cards.map((card) => [card.classList.contains("answered"), card.querySelector("output").textContent]),
  });
  const restore = (was) => {
    ({ lines, unsaved, last } = was);
    faces.forEach((face, at) => ["said", "says"].forEach((key, one) => mark(face, key, was.faces[at][one])));
    rows.forEach((row, at) => {
      mark(row, "called", was.rows[at][0]);
      entitle(row, was.rows[at][1]);
    });
    cards.forEach((card, at) => {
      card.classList.toggle("answered", was.cards[at][0]);
      card.querySelector("output").textContent = was.cards[at][1];
    });
  };
  const called = (row) => {
    if (!row.dataset.called) call(row, `Person ${last += 1}`);
    return row.dataset.called;
  };

  const show = () => {
    const correcting = document.body.classList.contains("correcting");
    for (const face of faces) {
      if (correcting) face.setAttribute("aria-pressed", String(isChosen(face)));
      else face.removeAttribute("aria-pressed");
    }
    undo.disabled = before.length === 0;
    const count = faces.filter(isChosen).length;
    document.getElementById("chosen").textContent =
      count === 0 ? "Choose faces, or a name" : count === 1 ? "This face" : `These ${count} faces`;
    const names = new Set(rows.map((row) => row.dataset.called).filter((name) => name && !unnamed.test(name)));
    for (const line of lines) if (line[PERSON] && !unnamed.test(line[PERSON])) names.add(line[PERSON]);
    document.getElementById("names").replaceChildren(
      ...Array.from(names).sort().map((name) => Object.assign(document.createElement("option"), { value: name })));
    document.getElementById("save").textContent = unsaved ? "Save corrections \u2022" : "Save corrections";
  };
  const upTo = (face) => {  // from the one clicked before, in the same row
    const ends = [faces.indexOf(clicked ?? face), faces.indexOf(face)].sort((one, other) => one - other);
    const place = face.closest("article, section");
    const row = faces.slice(ends[0], ends[1] + 1).filter((one) => one.closest("article, section") === place);
    return row.includes(clicked) ? row.filter((one) => !one.hidden) : [face];
  };
  const apply = (name) => {
    const chosen = faces.filter(isChosen);
    const touched = new Set(chosen.map((face) => face.closest("article")).filter(Boolean));
    if (!name && Array.from(touched).some((row) => !facesOf(row).some(stays(row)))) {
      said.textContent = "These are all faces that are sure here; choose those alone that do not belong.";
      return;
    }
    remember();
    for (const row of touched) {
      const others = facesOf(row).filter(stays(row));
      const own = facesOf(row).filter((face) => isChosen(face) && (face.dataset.said ?? row.dataset.called) === row.dataset.called);
      if (others.length && own.length) {
        const person = called(row);
        if (name !== person) hold(row, others.slice(0, SEEN));  // they stay who they are
        if (!name) for (const face of own) refuse(face, person);
      } else if (name && own.length) {
        const old = row.dataset.called;
        const isShared = rows.some((one) => !touched.has(one) && one.dataset.called === old) && !unnamed.test(old);
        if (old && !isShared) rename(old, name);
        call(row, name);
      }
    }
    for (const face of chosen) {
      face.classList.remove("chosen");
      if (!name) continue;
      say(face, name, "");
      mark(face, "says", face.closest("article")?.dataset.called === name ? undefined : name);
    }
    said.textContent = "";
    who.value = "";
    show();
  };

  document.addEventListener("click", (event) => {
    if (!document.body.classList.contains("correcting")) return;
    const face = event.target.closest(".face");
    const title = event.target.closest("h2 a");
    if (!face && !title) return;
    event.preventDefault();
    if (face) {
      const on = !isChosen(face);
      for (const one of event.shiftKey ? upTo(face) : [face]) one.classList.toggle("chosen", on);
      clicked = face;
    } else {
      const sure = sureOf(title.closest("article"));
      const all = sure.every(isChosen);
      for (const one of sure) one.classList.toggle("chosen", !all);
      who.focus({ preventScroll: true });
    }
    show();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.type !== "search") {
      for (const face of faces) face.classList.remove("chosen");
      show();
    }
    const button = event.target.closest?.(".correcting :is(.face, h2 a)");
    if (!button || event.key !== " ") return;
    event.preventDefault();  // or the page scrolls
    button.click();
  });
  begin.addEventListener("click", () => {
    const on = document.body.classList.toggle("correcting");
    desk.hidden = !on;
    begin.setAttribute("aria-expanded", String(on));
    begin.textContent = on ? "Look only" : "Correct";
    for (const button of [...faces, ...rows.map((row) => row.querySelector("h2 a"))]) {
      if (on) button.setAttribute("role", "button");
      else button.removeAttribute("role");
    }
    if (!on) for (const face of faces) face.classList.remove("chosen");
    show();
  });

  const named = (ids) => ids.split(" ").filter(Boolean).map((id) => document.getElementById(id));
  const inDoubt = new Set(cards.flatMap((card) => named(card.dataset.faces)));
  const ownOf = (row) => {
    const isOwn = (face) => !inDoubt.has(face) && (face.dataset.said ?? row.dataset.called) === row.dataset.called;
    const own = [sureOf(row), facesOf(row)].map((faces) => faces.filter(isOwn)).find((faces) => faces.length);
    return own ?? facesOf(row).slice(0, 1);
  };
  const hold = (row, faces) => {
    const person = called(row);
    for (const face of faces) if (face.dataset.said !== person) say(face, person, "");
    return person;
  };
  const answer = ({ card, asked, faces }, isSame) => {
    if (!document.body.classList.contains("correcting")) begin.click();
    const [one, other] = asked.map((row) => row.dataset.called);
    if (!isSame && one && one === other) {
      card.querySelector("output").textContent = "they have one name by now";
      return;
    }
    remember();
    const own = asked.map(ownOf);
    if (isSame) {
      const names = asked.map((row) => row.dataset.called).filter(Boolean);
      const name = names.find((one) => !unnamed.test(one)) ?? names[0] ?? `Person ${last += 1}`;
      for (const row of asked) {
        if (row.dataset.called) rename(row.dataset.called, name);
        call(row, name);
      }
      asked.forEach((row, at) => hold(row, own[at]));
      for (const face of faces) {
        say(face, name, "");
        face.dataset.says = asked[0].querySelector("h2 a").textContent;
      }
    } else {
      const [person] = asked.map((row, at) => hold(row, own[at].slice(0, SEEN)));
      for (const face of faces) refuse(face, person);
    }
    card.classList.add("answered");
    const further = cards.slice(cards.indexOf(card)).filter((one) => one.parentElement === card.parentElement);
    further.find((one) => !one.classList.contains("answered"))?.querySelector(".same").focus();
    card.querySelector("output").textContent = isSame ? "one person" : "two people";
    said.textContent = "Save corrections when you are done.";
    show();
  };
  const seen = (face) => {
    const copy = face.cloneNode(true);
    copy.removeAttribute("id");
    delete copy.dataset.says;
    copy.className = "seen";
    return copy;
  };
  for (const card of cards) {
    const question = { card, asked: named(card.dataset.rows), faces: named(card.dataset.faces) };
    card.querySelector(".sides").replaceChildren(...[...question.asked.map((row) => ownOf(row).slice(0, SEEN)), question.faces]
      .filter((side) => side.length)
      .map((side) => {
        const box = document.createElement("div");
        box.replaceChildren(...side.map(seen));
        return box;
      }));
    card.querySelector(".same").addEventListener("click", () => answer(question, true));
    card.querySelector(".two").addEventListener("click", () => answer(question, false));
  }
  for (const list of document.querySelectorAll(".questions")) list.hidden = false;

  correct.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = who.value.trim().replace(/\s+/g, " ").normalize("NFC");
    if (!faces.some(isChosen)) said.textContent = "Choose faces first, or the name of a row.";
    else if (!name) said.textContent = "Who is it? Write a name.";
    else if (formula.test(name) || unnamed.test(name)) said.textContent = "Please choose another name.";
    else apply(spelled(name));
  });
  document.getElementById("other").addEventListener("click", () => {
    if (document.querySelector("article .face.chosen")) apply("");
    else said.textContent = "Choose the faces that do not belong to their row.";
  });
  document.getElementById("save").addEventListener("click", () => {
    const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
    const text = [columns, ...lines].map((line) => line.map(quoted).join(",") + "\r\n").join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = "corrections.csv";
    link.click();
    unsaved = 0;
    for (const was of before) was.unsaved = 1;  // the file has more
    show();
    said.textContent = "Put corrections.csv into the folder of this page and run the same command again.";
  });
  undo.addEventListener("click", () => {
    restore(before.pop());
    said.textContent = "";
    show();
  });
  window.addEventListener("beforeunload", (event) => {
    if (!unsaved) return;
    event.preventDefault();
    event.returnValue = true;  // for older browsers
  });
  correct.hidden = false;
  show();
}
