// Whether a report says what its row expects.

/** What is wrong with the report, in words; nothing if it is right. */
export function differences(row, report, status) {
  const { causes, hints } = report;
  const allowed = new Set([row.cause, ...(row.or ?? []), ...(row.also ?? [])]);
  const problems = [];
  if (row.cause) {
    const [first] = causes;
    if (!first) problems.push(`nothing was found, expected ${row.cause}`);
    else if (![row.cause, ...(row.or ?? [])].includes(first.id))
      problems.push(`${first.id} (${first.certainty}) came first, expected ${row.cause}`);
    else if (first.id === row.cause && first.certainty !== row.certainty)
      problems.push(`${first.id} is ${first.certainty}, expected ${row.certainty}`);
    if (status !== 1) problems.push(`exit ${status}, expected 1`);
  } else {
    if (status !== 0) problems.push(`exit ${status}, expected 0`);
    if (row.hint && !hints.some(({ id }) => id === row.hint)) problems.push(`there is no hint ${row.hint}`);
  }
  for (const { id, certainty } of causes) {
    if (!allowed.has(id)) problems.push(`${id} (${certainty}) is wrong`);
  }
  return problems;
}
