/* Loaded before libc into every node of a test: the wall clock shows as many seconds more as a mapped file says. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *ahead;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FRS_WALL_CLOCK_AHEAD");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) ahead = mapped;
}

int clock_gettime(clockid_t id, struct timespec *now) {
    if (!real_clock_gettime) real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    int status = real_clock_gettime(id, now);
    if (!status && ahead && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) now->tv_sec += *ahead;
    return status;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (out) *out = precise.tv_sec;
    return precise.tv_sec;
}

/* A wait until a moment of the wall clock ends when that clock shows it, also where it is turned during the wait: set
   back by an hour, the wait lasts an hour longer. The kernel knows the true clock only, so the moment is turned back,
   and looked at again. What waits when the clock is set ahead is woken later than by the kernel. Moments of the
   monotonic clock are decades away from those of the wall clock. */
static int is_wall_time(const struct timespec *moment) { return ahead && moment->tv_sec > 1000000000; }

static struct timespec turned_back(const struct timespec *moment) {
    struct timespec true_moment = *moment;
    true_moment.tv_sec -= *ahead;
    return true_moment;
}

static int is_over(const struct timespec *moment) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec > moment->tv_sec || (now.tv_sec == moment->tv_sec && now.tv_nsec >= moment->tv_nsec);
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *moment) {
    static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!real) real = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!is_wall_time(moment)) return real(condition, mutex, moment);
    for (;;) {
        struct timespec until = turned_back(moment);
        int status = real(condition, mutex, &until);
        if (status != ETIMEDOUT || is_over(moment)) return status;
    }
}

int sem_timedwait(sem_t *semaphore, const struct timespec *moment) {
    static int (*real)(sem_t *, const struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "sem_timedwait");
    if (!is_wall_time(moment)) return real(semaphore, moment);
    for (;;) {
        struct timespec until = turned_back(moment);
        int status = real(semaphore, &until);
        if (status == 0 || errno != ETIMEDOUT || is_over(moment)) return status;
    }
}
