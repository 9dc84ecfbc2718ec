/** A document as one page without anything from outside, made to be printed. */
import { html } from '../../base/html.ts';
import { blanksHtml, commandHtml, factsHtml, markHtml, pageHtml, SIGNATURE, verdictHtml } from '../../base/page.ts';
import type { Block, KitDocument, Section, StepDone } from './document.ts';

export function toHtml({ title, kicker, subtitle, verdict, sections, signed }: KitDocument): string {
  const body = [
    ...(verdict === undefined ? [] : [verdictHtml(verdict.state, verdict.headline, verdict.sentence)]),
    ...sections.map(sectionHtml),
    ...(signed === true ? [SIGNATURE] : []),
  ];
  return pageHtml({ title, kicker, subtitle, body: body.join('\n') });
}

/** What can be filled in with a pen stays on the sheet of what it is about. */
function sectionHtml({ title, blocks }: Section): string {
  const kind = blocks.some((block) => block.kind === 'blanks') ? ' class="whole"' : '';
  return `<section${kind}>\n<h2>${html(title)}</h2>\n${blocks.map(blockHtml).join('\n')}\n</section>`;
}

function blockHtml(block: Block, at: number, all: readonly Block[]): string {
  switch (block.kind) {
    case 'text':
      return `<p${all[at + 1]?.kind === 'commands' ? ' class="before"' : ''}>${html(block.text)}</p>`;
    case 'facts':
      return factsHtml(block.rows);
    case 'commands':
      return commandsHtml(block.lines);
    case 'list':
      return listHtml(block.sentences, block.ordered === true ? 'ol' : 'ul');
    case 'blanks':
      return blanksHtml(block.labels);
    case 'steps':
      return stepsHtml(block.steps);
  }
}

function listHtml(sentences: readonly string[], tag: 'ol' | 'ul'): string {
  return `<${tag} class="plain">${sentences.map((sentence) => `<li>${html(sentence)}</li>`).join('')}</${tag}>`;
}

/** Each line by itself: one that is too long for the paper goes on indented, and is not taken for two. */
function commandsHtml(lines: readonly string[]): string {
  return `<div class="commands">${lines.map((line) => `<pre>${commandHtml(line)}</pre>`).join('\n')}</div>`;
}

function stepsHtml(steps: readonly StepDone[]): string {
  return `<table class="checks"><thead><tr><th scope="col">Step</th><th scope="col">Outcome</th><th scope="col" class="number">Took</th><th scope="col" class="number">May take</th></tr></thead>
<tbody>${steps.map(stepHtml).join('\n')}</tbody></table>`;
}

function stepHtml({ number, title, what, isCommand, state, outcome, took, mayTake, remarks }: StepDone): string {
  const said = remarks.length === 0 ? '' : `<ul>${remarks.map((each) => `<li>${html(each)}</li>`).join('')}</ul>`;
  const done = isCommand ? `<code>${commandHtml(what)}</code>` : html(what);
  return `<tr><th scope="row"><strong>${number}. ${html(title)}</strong><br>${done}${said}</th>
<td>${markHtml(state, outcome)}</td><td class="number">${html(took)}</td><td class="number"><span class="of">of </span>${html(mayTake)}</td></tr>`;
}
