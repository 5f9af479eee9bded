#define _GNU_SOURCE
#include "usage.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "options.h"

static double seconds_of(clockid_t clock) {
  struct timespec at;
  return clock_gettime(clock, &at) == 0 ? at.tv_sec + at.tv_nsec / 1e9 : 0;
}

/* The kernel's CPU clock of a process counts ns; /proc/PID/stat counts ticks of 10 ms. */
static double process_seconds(int pid) {
  clockid_t clock;
  return clock_getcpuclockid(pid, &clock) == 0 ? seconds_of(clock) : 0;
}

/* The number behind `name` in a file of lines "name: number". */
static long read_field(const char *path, const char *name) {
  char line[256];
  long value = 0;
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  while (fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, name, strlen(name)) == 0) sscanf(line + strlen(name), ": %ld", &value);
  }
  fclose(file);
  return value;
}

static long preempted(int pid) {
  char path[300];
  long sum = 0;
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *tasks = opendir(path);
  if (tasks == NULL) return 0;
  for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
    if (task->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/%d/task/%s/status", pid, task->d_name);
    sum += read_field(path, "nonvoluntary_ctxt_switches");
  }
  closedir(tasks);
  return sum;
}

/* Whether a line of /proc/stat counts: that of all cores together, or of one that was asked for. */
static bool is_counted(const char *line) {
  int core;
  if (strncmp(line, "cpu ", 4) == 0) return options.cores == 0;
  return sscanf(line, "cpu%d", &core) == 1 && core < 64 && (options.cores >> core & 1) != 0;
}

/* What the cores did (proc(5)). */
static void read_cores(struct usage *usage) {
  double ticks = sysconf(_SC_CLK_TCK);
  char line[256];
  FILE *file = fopen("/proc/stat", "r");
  if (file == NULL) return;
  while (fgets(line, sizeof line, file) != NULL) {
    long long user, nice, system, irq, softirq, steal;
    if (!is_counted(line)) continue;
    if (sscanf(line, "%*s %lld %lld %lld %*d %*d %lld %lld %lld", &user, &nice, &system, &irq, &softirq, &steal) != 6) continue;
    usage->steal_seconds += steal / ticks;
    usage->busy_seconds += (user + nice + system + irq + softirq) / ticks;
  }
  fclose(file);
}

struct usage usage_now(void) {
  struct usage usage = {.generator_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID)};
  struct rusage own;
  char path[64];
  read_cores(&usage);
  getrusage(RUSAGE_SELF, &own);
  usage.generator_preempted = own.ru_nivcsw;
  for (int i = 0; i < options.pid_count; i++) {
    usage.proxy_seconds += process_seconds(options.pids[i]);
    usage.proxy_preempted += preempted(options.pids[i]);
    snprintf(path, sizeof path, "/proc/%d/status", options.pids[i]);
    usage.proxy_rss_kb += read_field(path, "VmRSS");
  }
  return usage;
}
