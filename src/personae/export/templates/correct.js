const correct = document.getElementById("correct");
if (correct) {
  const [PERSON, NOT] = [6, 7];
  const lines = JSON.parse(correct.dataset.lines);
  const columns = correct.dataset.columns.split(",");
  const links = correct.dataset.links;
  const who = document.getElementById("who");
  const said = document.getElementById("said");
  const desk = document.getElementById("desk");
  const begin = document.getElementById("begin");
  const rows = Array.from(document.querySelectorAll("article"));
  const unnamed = /^Person ([1-9]\d*)$/;
  const formula = /^[\s=+\-@\uff1d\uff0b\uff0d\uff20]/;
  let unsaved = 0;
  let last = Math.max(rows.length, ...lines.flat().map((cell) => Number(unnamed.exec(cell)?.[1] ?? 0)));

  const facesOf = (row) => Array.from(row.querySelectorAll(".face"));
  const sureOf = (row) => {
    const sure = facesOf(row).filter((face) => !face.classList.contains("doubtful"));
    return sure.length ? sure : facesOf(row);
  };
  const isChosen = (face) => face.classList.contains("chosen");
  const stays = (row) => (face) =>
    !isChosen(face) && !face.classList.contains("doubtful") && (face.dataset.said ?? row.dataset.called) === row.dataset.called;

  const photoOf = (face) => {
    const photo = decodeURIComponent(face.getAttribute("href").slice(links.length).split("#t=")[0]);
    return formula.test(photo) ? `./${photo}` : photo;
  };
  const say = (face, person, other) => {
    lines.push([photoOf(face), ...face.dataset.place.split(","), person, other, face.dataset.content]);
    face.dataset.said = person;
    unsaved += 1;
  };
  const rename = (before, after) => {
    for (const line of lines) for (const column of [PERSON, NOT]) if (line[column] === before) line[column] = after;
    for (const face of document.querySelectorAll(".face")) {
      if (face.dataset.said === before) face.dataset.said = after;
    }
    for (const row of rows) if (row.dataset.called === before) call(row, after);
  };
  const call = (row, name) => {
    row.dataset.called = name;
    if (!unnamed.test(name)) row.querySelector("h2 a").textContent = name;
  };
  const called = (row) => {
    if (!row.dataset.called) call(row, `Person ${last += 1}`);
    return row.dataset.called;
  };

  const show = () => {
    const count = document.querySelectorAll(".face.chosen").length;
    document.getElementById("chosen").textContent =
      count === 0 ? "Choose faces, or a name" : count === 1 ? "This face" : `These ${count} faces`;
    const names = new Set(rows.map((row) => row.dataset.called).filter((name) => name && !unnamed.test(name)));
    for (const line of lines) if (line[PERSON] && !unnamed.test(line[PERSON])) names.add(line[PERSON]);
    document.getElementById("names").replaceChildren(
      ...Array.from(names).sort().map((name) => Object.assign(document.createElement("option"), { value: name })));
    document.getElementById("save").textContent = unsaved ? "Save corrections \u2022" : "Save corrections";
  };
  const apply = (name) => {
    const faces = Array.from(document.querySelectorAll(".face.chosen"));
    for (const row of new Set(faces.map((face) => face.closest("article")).filter(Boolean))) {
      const others = facesOf(row).filter(stays(row));
      const own = facesOf(row).filter((face) => isChosen(face) && (face.dataset.said ?? row.dataset.called) === row.dataset.called);
      if (others.length && own.length) {
        const person = called(row);  // the others stay who they are
        if (name !== person) for (const face of others) say(face, person, "");
        if (!name) for (const face of own) say(face, "", person);
      } else if (name && own.length) {
        if (row.dataset.called) rename(row.dataset.called, name);
        call(row, name);
      }
      if (!name && !others.length) {
        said.textContent = "These are all faces that are sure here; choose those alone that do not belong.";
        return;
      }
    }
    if (name) for (const face of faces) say(face, name, "");
    for (const face of faces) {
      face.classList.remove("chosen");
      const person = face.closest("article")?.dataset.called;
      if (!name) face.dataset.says = `not ${unnamed.test(person) ? "this person" : person}`;
      else if (person !== name) face.dataset.says = name;
      else delete face.dataset.says;
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
    if (face) face.classList.toggle("chosen");
    else {
      const sure = sureOf(title.closest("article"));
      const all = sure.every(isChosen);
      for (const one of sure) one.classList.toggle("chosen", !all);
      who.focus({ preventScroll: true });
    }
    show();
  });
  begin.addEventListener("click", () => {
    const on = document.body.classList.toggle("correcting");
    desk.hidden = !on;
    begin.setAttribute("aria-expanded", String(on));
    begin.textContent = on ? "Look only" : "Correct";
    if (!on) for (const face of document.querySelectorAll(".face.chosen")) face.classList.remove("chosen");
    show();
  });

  const SEEN = 4;  // faces of a person beside a question
  const cards = Array.from(document.querySelectorAll(".question"));
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
      for (const face of faces) {
        say(face, "", person);
        face.dataset.says = `not ${unnamed.test(person) ? "this person" : person}`;
      }
    }
    card.classList.add("answered");
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
    if (!document.querySelector(".face.chosen")) said.textContent = "Choose faces first, or the name of a row.";
    else if (!name) said.textContent = "Who is it? Write a name.";
    else if (formula.test(name) || unnamed.test(name)) said.textContent = "Please choose another name.";
    else apply(name);
  });
  document.getElementById("other").addEventListener("click", () => {
    if (document.querySelector("article .face.chosen")) apply("");
    else said.textContent = "Choose the faces that do not belong to their row.";
  });
  document.getElementById("save").addEventListener("click", () => {
    const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
    const text = "\ufeff" + [columns, ...lines].map((line) => line.map(quoted).join(",") + "\r\n").join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = "corrections.csv";
    link.click();
    unsaved = 0;
    show();
    said.textContent = "Put corrections.csv into the folder of this page and run the same command again.";
  });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });
  correct.hidden = false;
  show();
}
