"""The page of the view: one picture that reloads itself, the facts in words, and what is wrong in plain sight.

It asks for the next picture when the last one is on the screen, so a slow connection shows fewer pictures instead of
older ones, and a hidden tab asks for none.
"""

PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>frs: cameras</title>
<style>
  body { margin: 0; background: #14171c; color: #eceff4; font: 16px/1.5 system-ui, sans-serif; }
  main { max-width: 1400px; margin: 0 auto; padding: 8px; }
  img { display: block; width: 100%; height: auto; min-height: 10em; background: #232830; }
  img.old { opacity: 0.35; }
  #warnings { margin: 0 0 8px; padding: 0; list-style: none; }
  #warnings li { padding: 6px 12px; border: 2px solid #ff6b68; background: #3a1d1f; font-weight: bold; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 20px; margin: 12px 8px; }
  dt { color: #96a0ae; }
  dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
</style>
<main>
  <ul id="warnings" role="alert"></ul>
  <img id="picture" alt="The exterior and the wrist camera side by side, with the direction in use.">
  <dl id="facts"></dl>
</main>
<script>
  const picture = document.getElementById("picture");
  const warnings = document.getElementById("warnings");
  const facts = document.getElementById("facts");
  const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));
  const lost = {picture: "", facts: ""};

  function element(kind, text) {
    const made = document.createElement(kind);
    made.textContent = text;
    return made;
  }

  function warn(lines) {
    const all = [...new Set([lost.picture, lost.facts, ...lines])].filter(Boolean);
    if (all.join("\\n") !== Array.from(warnings.children, line => line.textContent).join("\\n"))
      warnings.replaceChildren(...all.map(line => element("li", line)));
    picture.classList.toggle("old", Boolean(lost.picture || lost.facts));
  }

  async function ask(path) {
    if (document.hidden)
      await new Promise(seen => document.addEventListener("visibilitychange", seen, {once: true}));
    const answer = await fetch(path, {cache: "no-store", signal: AbortSignal.timeout(5000)});
    if (!answer.ok) throw new Error(await answer.text());
    return answer;
  }

  async function showPictures() {
    for (let frame = -1;;) {
      try {
        const answer = await ask(`picture.jpg?after=${frame}`);
        const before = picture.src;
        picture.src = URL.createObjectURL(await answer.blob());
        await picture.decode();
        URL.revokeObjectURL(before);
        frame = answer.headers.get("X-Frame");
        lost.picture = "";
      } catch (error) {
        lost.picture = `The picture is old: no newer one can be had (${error.message}). It is asked for again.`;
        await pause(500);
      }
    }
  }

  async function showFacts() {
    for (;;) {
      try {
        const told = await (await ask("facts.json")).json();
        lost.facts = "";
        warn(told.warnings);
        facts.replaceChildren(
          ...told.facts.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
      } catch (error) {
        lost.facts = `What you see is old: the view does not answer (${error.message}). It is asked again.`;
        warn([]);
      }
      await pause(250);
    }
  }

  showPictures();
  showFacts();
</script>
</html>
"""
