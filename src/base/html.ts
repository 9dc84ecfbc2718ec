/** Text in a page. */

/** Everything that is shown comes through here: names of tables and files may be written by anybody. */
export function html(text: unknown): string {
  return String(text).replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}
