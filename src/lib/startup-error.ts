/** A reason not to start, told in one line a fault on the terminal, without a stack and without any value that could be a secret. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
