/** Text for people who read it in a terminal, in a mail or on paper. */

/** Characters. */
const WIDTH = 96;

/** The lines of a paragraph, of `width` characters at most. A word that is longer than a line stays whole. */
export function wrap(text: string, width = WIDTH): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
