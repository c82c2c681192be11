/** `widgets list | withdraw | restore`: the builds of the widget files that sites may have pinned. */
import type { Services } from '../app.js';
import type { Command } from './command.js';
import { table } from './layout.js';

const BUILD = { build: { type: 'string' } } as const;

const list: Command = {
  usage: 'widgets list [--json]',
  summary: 'the builds of the widget files that were ever served here',
  options: {},
  prepare: () => async (services) => {
    const builds = await services.widgets.list();
    const rows = builds.map(({ name, firstServedAt, withdrawnAt, current }) => [
      name,
      firstServedAt.toISOString(),
      current ? 'current' : withdrawnAt ? `withdrawn ${withdrawnAt.toISOString()}` : 'kept',
    ]);
    return {
      json: builds.map(({ name, firstServedAt, withdrawnAt, current }) => ({
        build: name,
        first_served_at: firstServedAt.toISOString(),
        withdrawn_at: withdrawnAt?.toISOString() ?? null,
        current,
      })),
      text: rows.length > 0 ? table(['BUILD', 'FIRST SERVED', 'STATUS'], rows) : 'None yet: they are kept at start.',
    };
  },
};

const withdraw = turn(
  'withdraw',
  'stop serving a build that turned out to be unsafe',
  'Sites that pinned it have no widget until they pin another; what browsers hold already stays with them for up to a\n' +
    'year. The build this version serves cannot be withdrawn: install another version first.',
  (services, build) => services.widgets.withdraw('command line', build),
  'is withdrawn: its addresses answer 410.',
);

const restore = turn(
  'restore',
  'serve a withdrawn build again',
  'Its addresses answer as before, byte for byte.',
  (services, build) => services.widgets.restore('command line', build),
  'is served again.',
);

export const widgetCommands = { list, withdraw, restore };

function turn(
  verb: string,
  summary: string,
  help: string,
  change: (services: Services, build: string) => Promise<void>,
  said: string,
): Command {
  return {
    usage: `widgets ${verb} <build> [--json]\n\n${help}`,
    summary,
    options: BUILD,
    positional: 'build',
    prepare(options) {
      const build = options.required('build');
      return async (services) => {
        await change(services, build);
        return { json: { build, withdrawn: verb === 'withdraw' }, text: `${build} ${said}` };
      };
    },
  };
}
