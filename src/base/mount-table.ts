/** What the kernel tells about mounts. */

/** The mount points in the text of `/proc/self/mountinfo`: the fifth field, with space, tab, newline and backslash as octal digits. */
export function mountPoints(mountinfo: string): ReadonlySet<string> {
  const points = mountinfo.split('\n').flatMap((line) => line.split(' ')[4] ?? []);
  return new Set(
    points.map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
    ),
  );
}

/** The mount point that `path` lies on: the longest that is the path or above it. Undefined when the table names none. */
export function mountPointOf(path: string, points: ReadonlySet<string>): string | undefined {
  let found: string | undefined;
  for (const point of points) {
    const isAbove = path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`);
    if (isAbove && point.length > (found?.length ?? 0)) found = point;
  }
  return found;
}
