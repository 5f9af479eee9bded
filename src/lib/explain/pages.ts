/** What is to be known of an error beyond its message. */
export interface ErrorPage {
  /** What is the case, one sentence. */
  means: string;
  /** How it comes about. */
  why: string;
  /** What to do, commands in double quotes. */
  todo: string;
}

/** A page for each code of an error; one that ends in * stands for all that begin like it. */
export const PAGES: Readonly<Record<string, ErrorPage>> = {
  ACCOUNT_FAILED: {
    means: 'The system user that the service runs as could not be made.',
    why: 'useradd refused: another tool manages the accounts, or /etc is not writable.',
    todo: 'Make a user without login of that name by hand, then run "mtp init" again.',
  },
  ACCOUNT_LEFT: {
    means: 'The system user of the service could not be removed.',
    why: 'Processes run as that user still.',
    todo: 'End them, then run "mtp uninstall" again.',
  },
  ADDRESS_INVALID: {
    means: 'The text is no address.',
    why: 'It is a network, a host name or has a number out of range.',
    todo: 'Write one address, such as 198.51.100.7 or 2001:db8::1.',
  },
  ADOPT: {
    means: 'The settings of the other proxy are not understood.',
    why: 'Its command line or file is not that of a known proxy, or takes values from variables or from code.',
    todo: 'Name its file with --file or its process with --pid, or set mtp up by hand with "mtp init" and "mtp secret add".',
  },
  ALGORITHM_REFUSED: {
    means: 'The cipher has a shorter key than the settings permit.',
    why: 'crypto.least_key_bits is 256 and AES-128-GCM was asked for.',
    todo: 'Take another cipher. To permit it: "mtp config set crypto.least_key_bits 128".',
  },
  AS_ROOT: {
    means: 'The engine would run as root, and it is what strangers talk to.',
    why: 'mtp was started as root, and there is no user mtp.',
    todo: 'Run "mtp init", or make the user with useradd --system mtp. In a container of its own --allow-root will do.',
  },
  BANS_INVALID: {
    means: 'Lines of the file begin with no network, or say of it what is not understood.',
    why: 'A line is a network, and after tabs what is done, until when and why.',
    todo: 'Correct the lines that are named; nothing was changed. "mtp ban export" shows the form.',
  },
  BUG: {
    means: 'Something failed that nobody thought of.',
    why: 'This is a mistake in mtp.',
    todo: 'Run the command again with MTP_DEBUG=1 before it, and report what it prints.',
  },
  CODE_UNKNOWN: {
    means: 'There is no error of that code.',
    why: 'It is mistyped.',
    todo: '"mtp explain" shows all codes.',
  },
  CONFIG_INVALID: {
    means: 'The configuration has something in it that is not allowed.',
    why: 'A value is wrong, a name is mistyped, or two settings contradict each other; each place is named.',
    todo: 'Correct each place, then look with "mtp config test". "mtp config list" shows where each value comes from.',
  },
  CONFIG_KEY: {
    means: 'There is no setting of that name.',
    why: 'It is mistyped, or the name of its table is missing.',
    todo: '"mtp config list" shows all of them.',
  },
  CONFIG_MISSING: {
    means: 'The configuration file is gone while the proxy runs.',
    why: 'Somebody moved or removed it. The settings in force stay in force.',
    todo: 'Put it back and run "mtp reload"; earlier ones are in "mtp config history".',
  },
  CONFIG_SECRET_ARGUMENT: {
    means: 'A password was given on the command line.',
    why: 'Arguments can be read by everybody on the machine, and stay in the history of the shell.',
    todo: 'Change that password, and give the new one by standard input, as the hint says.',
  },
  CONTROL: {
    means: 'The daemon is there but does not answer.',
    why: 'It is overloaded, or hangs.',
    todo: 'Try again; then "mtp logs", and "mtp restart" where it stays.',
  },
  CONTROL_EACCES: {
    means: 'The daemon belongs to another user.',
    why: 'Its socket is for its own user and root only.',
    todo: 'Use sudo, or run the command as that user.',
  },
  CONTROL_FOREIGN: {
    means: 'What answers on the control socket speaks otherwise than this command.',
    why: 'mtp was upgraded and the daemon runs on from before.',
    todo: '"mtp restart", or "mtp engine upgrade" for the engine alone.',
  },
  COUNTRY_DATABASE: {
    means: 'The database of countries cannot be read.',
    why: 'It is missing, in another format, or cut short.',
    todo: 'It has to be in the MaxMind DB format (.mmdb); the page on access says where there are some.',
  },
  COUNTRY_NETWORKS: {
    means: 'These countries take more networks than are looked up.',
    why: 'The database is one of cities or addresses, which has far more of them.',
    todo: 'Use a database of countries.',
  },
  COUNTRY_NONE: {
    means: 'Nothing is said of countries yet.',
    why: 'No country was blocked or allowed, or that was cleared.',
    todo: 'Begin with "mtp geo block" or "mtp geo allow".',
  },
  COUNTRY_UNKNOWN: {
    means: 'The text is no country.',
    why: 'Countries go by the two letters of ISO 3166-1.',
    todo: 'Write DE or US, for example.',
  },
  COUNT_INVALID: {
    means: 'A number of networks was expected.',
    why: 'The text is neither a whole number nor none.',
    todo: 'Write a number, or none for no limit.',
  },
  DOMAIN_INVALID: {
    means: 'That cannot be the domain of a secret.',
    why: 'It is an address, a URL, too long, or not ASCII.',
    todo: 'Give the bare name of a website, such as example.com.',
  },
  DRAINING: {
    means: 'There are too many engines that still serve connections of before.',
    why: 'Each hand-over leaves one until its connections have ended, shutdown.retire_timeout at most.',
    todo: 'Wait, watching "mtp status"; or "mtp restart", which cuts those connections.',
  },
  'E*': {
    means: 'The operating system refused something, and mtp did not expect it there.',
    why: 'The code is one of errno(3), such as EMFILE where too many files are open or ENOSPC where the disk is full.',
    todo: 'Take away the cause, if the message names one. Otherwise it is a mistake in mtp: run it with MTP_DEBUG=1 and report it.',
  },
  ENGINE: {
    means: 'The engine did not do what the daemon asked of it.',
    why: 'It has ended, is being started again, or is being replaced.',
    todo: '"mtp status" shows its state and last error, "mtp logs" what it said.',
  },
  ENGINE_USER: {
    means: 'The engine cannot run as the user that the settings name.',
    why: 'There is no such user, the daemon is not root, or that user may not reach files of mtp.',
    todo: 'Follow the hint; "mtp config unset engine.user" goes back to the usual user.',
  },
  ENV_FILE: {
    means: 'A .env file could not be changed so that it reads back the same.',
    why: 'A quote is open around that line.',
    todo: 'Mend the lines around the key that is named, and run the command again.',
  },
  FEEDS_FULL: {
    means: 'There are as many feeds as may be.',
    why: 'Each of them is fetched by itself.',
    todo: 'Remove one that is not needed with "mtp access feed remove".',
  },
  FEED_DAMAGED: {
    means: 'The list that was kept is not what was fetched.',
    why: 'Its file was changed, or the disk is failing.',
    todo: 'Fetch it again with "mtp access feed refresh".',
  },
  FEED_EMPTY: {
    means: 'The list names no network.',
    why: 'It was cleared, or is another file.',
    todo: 'If that is right, say so with --accept.',
  },
  FEED_EXISTS: {
    means: 'A feed of that name is there already.',
    why: 'Names stand for one list each.',
    todo: 'Choose another name, or remove that one first with "mtp access feed remove".',
  },
  FEED_HTML: {
    means: 'What came is a web page and not a list.',
    why: 'The address is that of a page about the list, or of an error.',
    todo: 'Take the address of the file itself, often called raw.',
  },
  FEED_LARGE: {
    means: 'The list is larger than a feed may be.',
    why: 'It is another file, or has far more than networks.',
    todo: 'Take a shorter list.',
  },
  FEED_LONG: {
    means: 'The list has more networks than there is room for.',
    why: 'All feeds together share the room.',
    todo: 'Remove another feed, or take a shorter list.',
  },
  FEED_NO_FILE: {
    means: 'The source of the feed is no plain file.',
    why: 'It is a directory, a pipe or a device.',
    todo: 'Name the file itself.',
  },
  FEED_PIN: {
    means: 'The list is another than the one that is pinned.',
    why: 'It was updated, or somebody else answers in its place.',
    todo: 'Look at what changed, then pin it anew.',
  },
  FEED_SHAPE: {
    means: 'Too many lines of the list name no network.',
    why: 'It is in another format.',
    todo: 'A line has to have an address, a network or a range.',
  },
  FEED_SHRUNK: {
    means: 'The list is far shorter than it was.',
    why: 'It was cut short, or replaced by another.',
    todo: 'If that is right, say so with --accept; until then the last one stays in force.',
  },
  FEED_UNKNOWN: {
    means: 'No feed has that name.',
    why: 'It was removed, or goes by another name.',
    todo: 'See those there are with "mtp access feed list".',
  },
  FEED_UNREACHABLE: {
    means: 'The list could not be fetched.',
    why: 'The server is down or refuses, its certificate is not valid, or the file is not there.',
    todo: 'What was fetched last stays in force. See "mtp access feed list", and try again later.',
  },
  FEED_WIDE: {
    means: 'The list has a network that is a large part of the Internet.',
    why: 'A slip of whoever keeps it would shut nearly everybody out.',
    todo: 'Use another list. To let in only some, write a rule with "mtp access add".',
  },
  'FILE_*': {
    means: 'A file could not be read or written.',
    why: 'The end of the code is what the operating system said: ENOENT is missing, EACCES not permitted, ENOSPC a full disk, EROFS a file system that is read-only, EEXIST one that is there already.',
    todo: 'Correct that, or name another place, with --home where it is a directory of mtp.',
  },
  FILE_CHANGED: {
    means: 'A file that mtp made was changed by somebody else.',
    why: 'mtp replaces and removes only what is as it wrote it.',
    todo: 'Keep what you need of it elsewhere, move it away, and run the command again.',
  },
  FILE_EXISTS: {
    means: 'There is a file of that name already.',
    why: 'Nothing is overwritten without a word.',
    todo: 'Choose another name, or add --force.',
  },
  FILE_UNREADABLE: {
    means: 'A file cannot be read as what it should be.',
    why: 'It is a directory, no regular file, too large, or not text.',
    todo: 'Name the right file.',
  },
  FIREWALL_CHANGED: {
    means: 'The rules or the settings changed while you were asked.',
    why: 'The message names what was found.',
    todo: 'Nothing was changed. Run "mtp firewall apply" again and look at the plan.',
  },
  FIREWALL_IN_FORCE: {
    means: 'Rules of mtp are still in the firewall.',
    why: 'They would outlive the proxy that they are for.',
    todo: 'Take them away with "mtp firewall remove", then run "mtp uninstall" again.',
  },
  FIREWALL_LEFT: {
    means: 'Something of mtp is still in the firewall after a removal.',
    why: 'The message names what was found.',
    todo: 'Run "mtp firewall remove" again; if it stays, take away by hand what has mtp in its name or comment.',
  },
  FIREWALL_NOTHING_PENDING: {
    means: 'No change of the firewall waits to be confirmed.',
    why: 'The message names what was found.',
    todo: 'See what is in force with "mtp firewall status".',
  },
  FIREWALL_NOT_APPLIED: {
    means: 'The rules in force are not those of the configuration.',
    why: 'The message names what was found.',
    todo: 'Put them into force with "mtp firewall apply", then persist them.',
  },
  FIREWALL_NOT_ENABLED: {
    means: 'systemd does not enable or start the unit that loads the rules.',
    why: 'The message names what was found.',
    todo: 'See why with "systemctl status mtp-firewall".',
  },
  FIREWALL_NOT_PROVED: {
    means: 'After the change the kernel, a manager or SSH was not as it should be. The rules from before are back.',
    why: 'The message names what was found.',
    todo: 'Put right what is named, then apply again.',
  },
  FIREWALL_NO_BACKEND: {
    means: 'Neither nftables nor iptables works here, or not the one that was asked for.',
    why: 'The message names what was found.',
    todo: 'Install nftables. In a container the machine around it has to allow it.',
  },
  FIREWALL_NO_SYSTEMD: {
    means: 'There is no systemd to load the rules when the machine starts.',
    why: 'The message names what was found.',
    todo: 'Have your init run the script that is named before the network is up.',
  },
  FIREWALL_PENDING: {
    means: 'A change of the firewall waits to be confirmed.',
    why: 'The message names what was found.',
    todo: 'Keep it with "mtp firewall confirm", or take it back with "mtp firewall rollback".',
  },
  FIREWALL_PLACE: {
    means: 'The directory of the scripts that root runs can be changed by another user.',
    why: 'The message names what was found.',
    todo: 'Give it to root with mode 0700, or choose another place with --home.',
  },
  FIREWALL_PORT_TWICE: {
    means: 'The port of the proxy is among firewall.admin_ports, which are closed to strangers.',
    why: 'The message names what was found.',
    todo: 'Take it out of firewall.admin_ports.',
  },
  FIREWALL_REFUSED: {
    means: 'The kernel or a manager did not take the rules.',
    why: 'The message names what was found.',
    todo: 'The message has its words. The rules are those from before.',
  },
  FIREWALL_SSH: {
    means: 'A setting names the port of SSH; the rules could lock you out.',
    why: 'The message names what was found.',
    todo: 'Choose another port for that setting.',
  },
  FIREWALL_STATE: {
    means: 'A file about a change of the firewall is not what mtp wrote.',
    why: 'The message names what was found.',
    todo: 'See what is in it, then remove it; the rules from before are in the directory beside it.',
  },
  FIREWALL_TAKEN_BACK: {
    means:
      'The change was not kept: a no, no answer, Ctrl-C, or a probe that proves nothing. The rules from before are back.',
    why: 'The message names what was found.',
    todo: 'Apply again when it is what you want.',
  },
  FIREWALL_TOO_LATE: {
    means: 'Nobody confirmed in time. The rules from before are back.',
    why: 'The message names what was found.',
    todo: 'Apply again, and give yourself longer with --within.',
  },
  FIREWALL_UFW: {
    means: 'The back end ufw was asked for, and ufw is not active.',
    why: 'mtp never turns it on: that could lock you out.',
    todo: 'Let SSH in first ("ufw allow OpenSSH"), then run "ufw enable".',
  },
  FLEET_DAMAGED: {
    means: 'The list of the fleet cannot be used.',
    why: 'It was edited by hand, or cut short by a full disk.',
    todo: 'Put it right, or remove it and add the hosts again; what is on them stays.',
  },
  FLEET_EMPTY: {
    means: 'There is no other host yet.',
    why: 'Nothing was added on this machine, or by another user of it.',
    todo: 'Add one with "mtp fleet add HOST".',
  },
  FLEET_FOREIGN: {
    means: 'The list of the fleet belongs to somebody else, or others may write it.',
    why: 'ssh does what the list says, with your keys.',
    todo: 'Run as its owner, or look at what it says and take it over with chown and chmod 600.',
  },
  HOOK_FAILED: {
    means: 'The hook on-rotate has not been told of every new secret.',
    why: 'It could not be started, took too long or ended with another status than 0.',
    todo: 'Mend the hook, then run "mtp secret announce"; until then it is tried again by itself.',
  },
  HOST_EXISTS: {
    means: 'A host of that name is in the fleet already.',
    why: 'Names stand for one machine each.',
    todo: 'Choose another with --name, or run "mtp fleet remove" for that one first.',
  },
  HOST_INVALID: {
    means: 'The text cannot be a destination of ssh, or not a name of a host.',
    why: 'It begins with a dash or has characters that neither may have.',
    todo: 'Write user@host, or a name of ~/.ssh/config.',
  },
  HOST_UNKNOWN: {
    means: 'No host of the fleet has that name.',
    why: 'It was removed, or goes by another name.',
    todo: 'See those there are with "mtp fleet list".',
  },
  IMPORT_HEADER: {
    means: 'The first line of a CSV file does not name its columns.',
    why: 'A column is unknown, named twice, or the one for names is missing.',
    todo: 'Take the first line of "mtp user export" as a pattern.',
  },
  IMPORT_LINE: {
    means: 'A line of a CSV file cannot be imported.',
    why: 'It has another number of fields than there are columns, or repeats a name or secret of an earlier line.',
    todo: 'Correct that line, or import the others with --partial.',
  },
  IMPORT_REFUSED: {
    means: 'Nothing was imported, because lines of the file are wrong.',
    why: 'A half of a list is worse than none.',
    todo: 'Correct the lines that are named, or add --partial.',
  },
  IMPORT_SYNTAX: {
    means: 'The file of another program is not valid.',
    why: 'It is no TOML, at the place that is named.',
    todo: 'Correct it there; nothing was imported.',
  },
  INIT_BLOCKED: {
    means: 'Something has to be put right before the installation.',
    why: 'Checks come before changes; each one that failed is named.',
    todo: 'Do what the lines say, and run "mtp init" again.',
  },
  INTERRUPTED: {
    means: 'Ctrl-C ended the command.',
    why: 'Somebody asked for it.',
    todo: 'Run it again when you like; what was begun was taken back or can be gone on with.',
  },
  IN_CONTAINER: {
    means: 'The kernel belongs to the machine around this container.',
    why: 'Settings of the kernel would change it for everybody there, or are refused.',
    todo: 'Run "mtp tune apply" on that machine.',
  },
  IPTABLES_FAILED: {
    means: 'iptables-save did not answer.',
    why: 'The message names what was found.',
    todo: 'The message has its words; run it by hand as root.',
  },
  JOURNAL_DAMAGED: {
    means: 'The list of what the installation made cannot be read.',
    why: 'Somebody edited it, or the disk was full.',
    todo: 'Put a copy back, or move it away: then "mtp uninstall" counts nothing as its own.',
  },
  KEYRING_DAMAGED: {
    means: 'keyring.json cannot be read.',
    why: 'Somebody edited it, or it was cut off.',
    todo: 'Put the copy back in its place, mode 0600. Without one the secrets are lost: see docs/keyring.md.',
  },
  KEYRING_MISSING: {
    means: 'keyring.json is gone, and the secrets are sealed under its keys.',
    why: 'It was removed, or the ledger was moved without it.',
    todo: 'Put the copy back in its place, mode 0600. Without one the secrets are lost: see docs/keyring.md.',
  },
  KEYRING_WRONG: {
    means: 'keyring.json does not hold the key that the secrets are sealed under.',
    why: 'It is of another installation, or older than the last rotation of keys.',
    todo: 'Put the copy back that was made after the last "mtp keys rotate".',
  },
  KEY_EXISTS: {
    means: 'Somebody has that secret already.',
    why: 'Two with one secret could not be told apart, limited or shut out each alone.',
    todo: 'Give everybody one of their own: "mtp secret add NAME" makes it.',
  },
  KEY_INVALID: {
    means: 'The key of a digest is not one.',
    why: 'It has other characters than hex digits, or not 64 of them.',
    todo: 'Make one with openssl rand -hex 32, and give the same to both machines.',
  },
  LABELS_LONG: {
    means: 'The labels of a sealed file are too long.',
    why: 'All together may have 4,096 bytes.',
    todo: 'Leave some out.',
  },
  LABEL_INVALID: {
    means: 'That is no label.',
    why: 'A label is a name and a value with = between them.',
    todo: 'Write NAME=VALUE, such as host=proxy.example.com.',
  },
  LABEL_TWICE: {
    means: 'A label is given twice.',
    why: 'Its value would not be clear.',
    todo: 'Name it once.',
  },
  LEDGER_DAMAGED: {
    means: 'The database of users is damaged.',
    why: 'A disk failed, or a copy was made of it while it was written.',
    todo: 'Stop the proxy and put a copy of ledger.db back, without ledger.db-wal and ledger.db-shm: see docs/users.md.',
  },
  LEDGER_FULL: {
    means: 'The database of users cannot grow.',
    why: 'The disk is full, or a quota is used up.',
    todo: 'Make room; nothing was changed.',
  },
  LEDGER_IO: {
    means: 'The database of users cannot be read or written.',
    why: 'The disk reports errors.',
    todo: 'Look at the log of the kernel (dmesg), and make a copy of the directory while you can.',
  },
  LEDGER_LOCKED: {
    means: 'Another process has held the database of users for too long.',
    why: 'Another mtp, or a tool such as sqlite3, is in the middle of a change.',
    todo: 'Wait for it, or end that tool, and try again.',
  },
  LEDGER_MISSING: {
    means: 'The database of users is gone, but its keyring is there.',
    why: 'It was removed or not moved along; a new one would lose all users without a word.',
    todo: 'Put a copy back. To begin without users, move the keyring away.',
  },
  LEDGER_NEWER: {
    means: 'The database of users was written by a newer mtp.',
    why: 'mtp was downgraded.',
    todo: 'Install that version again, or put back the copy from before the upgrade.',
  },
  LEDGER_NOT_KEPT: {
    means: 'A change that was written does not show.',
    why: 'Another process changed the same user at the same moment.',
    todo: 'Look with "mtp user show NAME", and run the command again.',
  },
  LEDGER_READONLY: {
    means: 'The database of users may not be written.',
    why: 'It belongs to another user, or the file system is read-only.',
    todo: 'Run as its owner or as root.',
  },
  LEDGER_UNREADABLE: {
    means: 'The database of users cannot be opened.',
    why: 'It or its directory belongs to another user.',
    todo: 'Run as its owner or as root.',
  },
  LINK_INVALID: {
    means: 'That is no link of a proxy.',
    why: 'Server, port or secret is missing or not valid.',
    todo: 'Copy the whole of it; "mtp link NAME" prints one.',
  },
  'LISTEN_*': {
    means: 'The port cannot be listened on.',
    why: 'The end of the code says why: EADDRINUSE is another program on it, EACCES a low port without the right to it, EADDRNOTAVAIL an address that this machine has not.',
    todo: 'End that program, run as root, or choose another with "mtp config set listen.port PORT".',
  },
  LIST_LONG: {
    means: 'The list has more networks than may be imported.',
    why: 'Rules by hand are meant to be read by people.',
    todo: 'Keep long lists as feeds with "mtp access feed add".',
  },
  LOG_LEVEL: {
    means: 'The running proxy did not take the level over.',
    why: 'Another command changed it at the same moment.',
    todo: 'Look with "mtp log level", and set it again.',
  },
  NAME_INVALID: {
    means: 'That cannot be the name of a user.',
    why: 'Names stand in files, links and tables.',
    todo: 'Take 1 to 64 letters, digits or . - _ @ that are more than dots.',
  },
  NEEDS_ANSWER: {
    means: 'A question has to be answered, and there is no terminal to ask on.',
    why: 'The command runs in a script or behind a pipe.',
    todo: 'Answer it with the flag that the hint names.',
  },
  NEEDS_ROOT: {
    means: 'Only root may do this.',
    why: 'It changes the whole machine.',
    todo: 'Use sudo.',
  },
  NETWORK_INVALID: {
    means: 'The text is no address and no network.',
    why: 'A number or the length is out of range, or bits beyond the length are set.',
    todo: 'Write 192.0.2.1, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/48.',
  },
  NETWORK_OR_ALL: {
    means: 'It is not clear which bans are meant.',
    why: 'Neither networks nor --all were given, or both.',
    todo: 'Name networks, or give --all.',
  },
  NEVER_BANNED: {
    means: 'The ban would shut out somebody who must not be.',
    why: 'The network has this machine, a balancer, somebody who is logged in over SSH, or lies in one that is allowed.',
    todo: 'Ban smaller networks that leave it out, or take it off the list with "mtp allow del".',
  },
  NFT_FAILED: {
    means: 'nft cannot list our table.',
    why: 'The message names what was found.',
    todo: 'The message has its words; run "nft list table inet mtp" as root.',
  },
  NOTE_INVALID: {
    means: 'The note is too long or has more than one line.',
    why: 'It stands in tables and CSV files.',
    todo: 'Shorten it, and leave out line ends.',
  },
  NOTHING_TO_CLOSE: {
    means: 'The user has no secret that was replaced.',
    why: 'Only a secret that another one has taken the place of is closed.',
    todo: 'Replace it first: "mtp secret rotate NAME".',
  },
  NOT_ALLOWED: {
    means: 'The network is not on the list of those that are never shut out.',
    why: 'It was taken off, its time was over, or it is on the list as part of a wider one.',
    todo: 'See the list with "mtp allow list".',
  },
  NOT_BANNED: {
    means: 'There is no ban of exactly this network.',
    why: 'It is over, was lifted, or is that of a wider network.',
    todo: 'See the bans with "mtp ban list", and what holds for an address with "mtp ban why".',
  },
  NOT_FOUND: {
    means: 'The control socket was asked for something that it does not have.',
    why: 'A program of your own asks for a wrong path, or the daemon is older than the command.',
    todo: '"mtp restart" after an upgrade.',
  },
  NOT_HANDED_OVER: {
    means: 'A new engine did not take over; the old one goes on.',
    why: 'It did not start, or its handshake did not hold.',
    todo: '"mtp logs" has what it said. Nobody was disconnected.',
  },
  NOT_IN_SYNC: {
    means: 'The users of a host differ from those here after they were written.',
    why: 'Somebody changed them meanwhile, here or there.',
    todo: 'Run "mtp fleet sync" again.',
  },
  NOT_PROVED: {
    means: 'A change is written, but a handshake does not show it.',
    why: 'The engine serves something else, or Telegram or the port could not be reached at that moment.',
    todo: '"mtp status" shows what is in force; then "mtp reload".',
  },
  NOT_RUNNING: {
    means: 'No proxy runs for these directories.',
    why: 'It was never started, has ended, or belongs to another --home or user.',
    todo: '"mtp start"; as root for the service of the whole machine.',
  },
  NOT_SERVING: {
    means: 'The daemon runs, but its engine does not.',
    why: 'The engine ended and is started again, ever more rarely.',
    todo: '"mtp status" shows its last error, "mtp logs" the lines before it.',
  },
  NOT_STARTED: {
    means: 'The proxy did not start.',
    why: 'Its last words are in the message: most often a port that is taken or a setting that is wrong.',
    todo: 'Correct that and run "mtp start"; "mtp logs" has more.',
  },
  NO_DAEMON: {
    means: 'The daemon is gone while its engine goes on.',
    why: 'Somebody killed the daemon. Users do not notice.',
    todo: '"mtp start" puts a new daemon and engine in its place, "mtp stop" ends it.',
  },
  NO_ENGINE: {
    means: 'There is no engine of mtp in that directory.',
    why: 'The path is not that of an installed package.',
    todo: 'Name the directory that has dist/daemon/engine/main.js.',
  },
  NO_HISTORY: {
    means: 'There is no configuration to go back to.',
    why: 'The history begins with the first start, and this is the first one.',
    todo: '"mtp config history" shows what is kept.',
  },
  NO_LOG: {
    means: 'There is no log file.',
    why: 'The proxy has not run in the background here, or logs to its terminal.',
    todo: '"mtp start" makes it.',
  },
  NO_PREVIOUS: {
    means: 'There is no engine from before to go back to.',
    why: 'None was upgraded since the daemon started.',
    todo: 'Name a package: "mtp engine upgrade --package DIR".',
  },
  NO_SECRET: {
    means: 'The user has no secret.',
    why: 'All were removed.',
    todo: '"mtp secret add NAME".',
  },
  NO_USERS: {
    means: 'Nobody may connect yet.',
    why: 'There is no user.',
    todo: '"mtp user add NAME".',
  },
  PASSPHRASE: {
    means: 'The passphrase is empty or too short.',
    why: 'Whoever finds the file can try as many as they like.',
    todo: 'Take six random words.',
  },
  PASSPHRASE_DIFFERS: {
    means: 'The passphrase was typed in two ways.',
    why: 'One of them has a slip in it.',
    todo: 'Try again.',
  },
  PLUGINS_DAMAGED: {
    means: 'A plugin that is installed cannot be read.',
    why: 'Its package.json is missing or broken.',
    todo: 'Remove its directory and install it again.',
  },
  PLUGINS_EXPOSED: {
    means: 'Somebody else could write the directory of plugins.',
    why: 'Plugins run with your rights, so whoever can write there can run anything as you.',
    todo: 'Look at what is there, then take it back with chown and chmod go-w, or remove the directory.',
  },
  PLUGIN_BROKEN: {
    means: 'The plugin could not be loaded, and was taken back.',
    why: 'It is made for another version, or leaves out a package that it needs.',
    todo: 'Ask who made it for which version of mtp it is.',
  },
  PLUGIN_UNFIT: {
    means: 'The file cannot be a plugin.',
    why: 'It is no tarball of npm pack, names no commands, or would write outside of its place.',
    todo: 'Have it packed anew; the message says what is missing.',
  },
  PLUGIN_UNKNOWN: {
    means: 'There is no plugin of that name.',
    why: 'It was removed, or the name is that of its command.',
    todo: 'See those there are with "mtp plugins".',
  },
  PRODUCTION: {
    means: 'That is fit for tests only, and this is production.',
    why: 'deployment.env says so, by default.',
    todo: 'Do without it. On a machine for tests: "mtp config set deployment.env staging".',
  },
  REASON_INVALID: {
    means: 'The reason is empty, too long or has more than one line.',
    why: 'It stands in tables and in the history.',
    todo: 'Say in one line why.',
  },
  REMOTE_FOREIGN: {
    means: 'What mtp says on that host is not understood.',
    why: 'It is of another version.',
    todo: 'Install the same version there.',
  },
  REMOTE_MTP: {
    means: 'There is no mtp on that host where it was looked for.',
    why: 'It is not installed there, or not on the PATH that ssh gives to commands.',
    todo: 'Install it there, or say where it is with "mtp fleet add HOST --mtp PATH".',
  },
  REMOTE_REFUSED: {
    means: 'The host did not take the users over.',
    why: 'Its own mtp found a fault, which the message names.',
    todo: 'Put it right there, then run "mtp fleet sync".',
  },
  REVISION: {
    means: 'The engine serves another state than the one that it was told to.',
    why: 'It was replaced in the middle, or there is a mistake in mtp.',
    todo: '"mtp reload"; report it if it comes again.',
  },
  REVISION_AMBIGUOUS: {
    means: 'More than one revision begins like that.',
    why: 'Too few digits were given.',
    todo: 'Write more of it, or its number from "mtp config history".',
  },
  REVISION_UNKNOWN: {
    means: 'There is no such revision.',
    why: 'The last 20 are kept.',
    todo: '"mtp config history" shows them.',
  },
  ROLLBACK_FAILED: {
    means: 'The rules from before did not come back whole.',
    why: 'The message names what was found.',
    todo: 'See the log that is named; "mtp firewall remove" takes away all rules of mtp.',
  },
  ROLLED_BACK: {
    means: 'A reload did not hold and was taken back.',
    why: 'The engine did not take it over, or a handshake afterwards failed.',
    todo: 'What was in force before is in force again. Correct the files and run "mtp reload", or "mtp config rollback".',
  },
  RULES_FULL: {
    means: 'There are as many access rules as may be.',
    why: 'Rules by hand are meant to be read by people.',
    todo: 'Keep long lists as feeds with "mtp access feed add".',
  },
  RULE_UNKNOWN: {
    means: 'There is no such access rule.',
    why: 'It was removed, is over, or belongs to a feed or a country.',
    todo: 'See the rules with "mtp access list".',
  },
  RUNNING: {
    means: 'A proxy runs here already.',
    why: 'One set of directories has one daemon.',
    todo: '"mtp status" shows it; a second one needs its own --home and port.',
  },
  SECRETS_FULL: {
    means: 'The user would have more secrets that let somebody in than one user may have.',
    why: 'Secrets that were replaced are accepted until their grace is over, and each rotation adds one.',
    todo: 'See who still uses the old ones with "mtp secret rotations", and close them with "mtp secret close".',
  },
  SECRET_DAMAGED: {
    means: 'A secret does not open with the keyring.',
    why: 'Its record was changed, or belongs to another ledger or keyring.',
    todo: 'Put back the copies of ledger.db and keyring.json that were made together, or give that user a new secret.',
  },
  SECRET_INVALID: {
    means: 'That is no secret.',
    why: 'It is neither 32 hex digits, nor those behind dd or ee with a domain, nor the same in base64.',
    todo: 'Copy the whole of it; "mtp secret generate" makes one.',
  },
  SECRET_IN_USE: {
    means: 'Somebody is connected with that secret.',
    why: 'Removing it would cut them.',
    todo: 'Wait with --drain, cut with --force, or replace it gently: "mtp secret rotate NAME".',
  },
  SECRET_UNCLEAR: {
    means: 'It is not clear which secret is meant.',
    why: 'The user has several, or none of that id.',
    todo: 'Name one with --id; "mtp secret list" shows them.',
  },
  SECRET_WEAK: {
    means: 'The secret can be guessed.',
    why: 'It is a published example, repeats itself, or counts up; scanners try such ones first.',
    todo: '"mtp secret generate" makes a good one.',
  },
  SETPRIV: {
    means: 'setpriv is missing.',
    why: 'With it the engine gives up the rights of root.',
    todo: 'Install util-linux.',
  },
  SOCKET_PATH: {
    means: 'The path of the control socket is too long.',
    why: 'The system allows 107 bytes.',
    todo: 'Choose a shorter --home.',
  },
  SPAN_INVALID: {
    means: 'That is no span of time.',
    why: 'A unit is missing or unknown.',
    todo: 'Write 90m, 12h, 7d or 2w.',
  },
  SSH_DENIED: {
    means: 'The host does not let us in.',
    why: 'There is no key there that fits, and nobody can type a password.',
    todo: 'Give it a key with ssh-copy-id.',
  },
  SSH_HOST_KEY_CHANGED: {
    means: 'The host has another key than the one known.',
    why: 'It was installed anew, or somebody else answers in its place.',
    todo: 'Compare the fingerprint with that of the server before you forget the old one with ssh-keygen -R.',
  },
  SSH_HOST_KEY_UNKNOWN: {
    means: 'The key of the host is not known here.',
    why: 'Nobody has logged in there from this account.',
    todo: 'Log in by hand once, and compare the fingerprint with that of the server.',
  },
  SSH_MISSING: {
    means: 'There is no ssh on this machine.',
    why: 'mtp reaches other hosts through the ssh of the system.',
    todo: 'Install the package openssh-client.',
  },
  SSH_UNREACHABLE: {
    means: 'The host cannot be reached.',
    why: 'It is down, its address or port is another, or a firewall is in between.',
    todo: 'Try again when it is up; what it has missed is made up by "mtp fleet sync".',
  },
  STEP_NOT_PROVED: {
    means: 'A step of the installation was done but does not show.',
    why: 'Another tool undid it at once, or there is a mistake in mtp.',
    todo: 'Run "mtp init" again, and report it if it stays.',
  },
  STILL_RUNNING: {
    means: 'The proxy was told to end and has not.',
    why: 'Connections drain, for shutdown.drain_timeout at most, or it belongs to another user.',
    todo: 'Wait, or "mtp stop --now".',
  },
  SWITCH_BLOCKED: {
    means: 'The other proxy was not touched, because the switch would not be safe.',
    why: 'Each reason is named: it has to listen, accept its own secrets, and be startable again.',
    todo: 'Put that right, and look with "mtp adopt --switch --dry-run"; or stop it by hand and run "mtp start".',
  },
  SWITCH_NOT_STOPPED: {
    means: 'The other proxy did not end.',
    why: 'It ignores SIGTERM, or drains for long.',
    todo: 'End it by its own means, then "mtp start".',
  },
  SWITCH_STRANDED: {
    means: 'The switch failed, and the other proxy does not serve again either.',
    why: 'Both reasons are in the message.',
    todo: 'Start the other proxy as the hint says, at once. Then look at "mtp logs".',
  },
  SWITCH_UNDONE: {
    means: 'The switch did not hold; the other proxy serves again.',
    why: 'mtp did not start, or did not accept a secret that the other one accepts.',
    todo: 'Correct what the message names, and try again.',
  },
  SYSTEMCTL: {
    means: 'systemd did not do what was asked.',
    why: 'It is not installed, refuses for want of rights, or the unit failed.',
    todo: 'Use sudo; "mtp logs" has what the proxy said.',
  },
  TAG_INVALID: {
    means: 'That cannot be a tag.',
    why: 'Tags stand in tables and CSV files.',
    todo: 'Take 1 to 32 letters, digits or . - _ @ : that are not "none".',
  },
  TEMPLATE_UNKNOWN: {
    means: 'There is no template of that name.',
    why: 'It is mistyped.',
    todo: '"mtp template list" shows all.',
  },
  TEMPORARY: {
    means: 'Another command is at work in the same place.',
    why: 'Two at once could undo each other.',
    todo: 'Wait for the process that is named, then run the command again.',
  },
  TIMER_FAILED: {
    means: 'systemd does not take the timer for the way back, so that nothing was changed.',
    why: 'The message names what was found.',
    todo: 'See why with "systemctl status", then apply again.',
  },
  TOO_MANY_BANS: {
    means: 'The file has more bans than are meant to be looked at one by one.',
    why: 'Each ban has a history and is shown in lists.',
    todo: 'Take shorter lists, or networks in place of single addresses.',
  },
  TUNED: {
    means: 'Settings of the kernel are still those of mtp.',
    why: 'They were changed by a command of their own, and are taken back by one.',
    todo: '"mtp tune undo", then "mtp uninstall".',
  },
  TUNE_STATE_DAMAGED: {
    means: 'The record of kernel settings from before cannot be read.',
    why: 'Somebody edited it, or the disk was full.',
    todo: 'Put a copy back: the values from before are in it.',
  },
  USAGE: {
    means: 'The command line is wrong.',
    why: 'A flag, argument or value is not one that the command knows.',
    todo: 'Add --help to the command.',
  },
  USERS_DAMAGED: {
    means: 'users.json of an earlier version cannot be read.',
    why: 'Somebody edited it, or it was cut off.',
    todo: 'Correct it or put a copy back; it is left as it is.',
  },
  USERS_FULL: {
    means: 'There is no room for so many users.',
    why: 'One proxy serves a fixed number of users and secrets together.',
    todo: 'Remove those that are not needed, or run another proxy.',
  },
  USERS_TWICE: {
    means: 'users.json of an earlier version names somebody whom the ledger does not know.',
    why: 'It came back after it had been taken over, from a copy perhaps.',
    todo: 'Move it out of the way; add who is missing with "mtp user add NAME".',
  },
  USER_EXISTS: {
    means: 'There is a user of that name already.',
    why: 'Names are told apart without regard to capitals.',
    todo: 'Choose another; "mtp user list" shows all.',
  },
  USER_UNKNOWN: {
    means: 'There is no user of that name.',
    why: 'It is mistyped, or the user is of another installation.',
    todo: '"mtp user list" shows all; with --home those of another one.',
  },
  VAULT: {
    means: 'A sealed file does not open.',
    why: 'The passphrase or a label is another, the file was changed or cut off, or a newer mtp sealed it.',
    todo: 'Try the passphrase again, then another copy of the file. Nothing of it was written.',
  },
  WHOSE: {
    means: 'It is not clear whose secrets are meant.',
    why: 'Either a user is named, or all of them, or those of an age.',
    todo: 'Name a user, or add --all or --older-than.',
  },
};
