/** Milliseconds of processor time that this process has used: unlike the clock's, what others take does not count. */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
