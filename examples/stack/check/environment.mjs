export async function environmentChecks() {
  return [];
}
