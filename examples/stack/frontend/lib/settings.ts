// Where the gate and the other two services are. Read when it is needed: a build must not keep what only the running deployment knows.

export const settings = {
  /** As browsers see it. */
  get gate(): URL {
    return new URL(required("DOORWARD_URL"));
  },
  get authService(): string {
    return required("AUTH_SERVICE_URL");
  },
  get api(): string {
    return required("API_URL");
  },
};

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}
