"""The simulated cell running by itself: physics paced in one thread, cameras rendered in another. No ROS here."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import mujoco
import numpy as np

from frs_sim.cell import CONTROL_RATE, Cell, Eyes, Truth
from frs_sim.driver import Watchdog
from frs_sim.graphics import GraphicsError
from frs_sim.pacing import Beat, Pacer
from frs_sim.scene import CAMERAS, TIMESTEP
from frs_sim.tasks import Task

JOINT_RATE = 100.0
"""Hz, of joint states and of the clock; physics is run in slices of this length at most."""

PHYSICS, DRAWING = -10, 5
"""Niceness of the two threads (Linux has one for each): a robot does not wait for this computer, and rendering, which a
real camera would not ask of it, lets the policy and the decisions go first."""

CLOSE_TIMEOUT = 1.0  # s

_FINGER = "finger_joint1"  # its name in the robot's MJCF


@dataclass(frozen=True)
class JointSample:
    """What the robot's joints measure: (7,) rad, (7,) rad/s, and one finger's position [m] and velocity [m/s]."""

    position: np.ndarray
    velocity: np.ndarray
    finger: float
    finger_velocity: float


@dataclass(frozen=True)
class Progress:
    """How the task stands.

    Attributes:
        task: what is to be done.
        seed: of the scene.
        episode: number of resets so far; 0 for the scene that the world began with.
        step: control steps (15 Hz) since the reset.
        success: the success test has held for half a second.
        touched: arm, hand or fingers have touched what does not give way since the last report.
    """

    task: Task
    seed: int
    episode: int
    step: int
    success: bool
    touched: bool


class Listener(Protocol):
    """Hears what the world measures. `stamp` is simulated time in ns since the world began; it never goes back."""

    def on_joints(self, stamp: int, joints: JointSample) -> None:
        """Called 100 times a simulated second, in the physics thread."""

    def on_progress(self, stamp: int, progress: Progress, truth: Truth) -> None:
        """Called 15 times a simulated second and on each reset, in the physics thread."""

    def on_image(self, stamp: int, camera: str, image: np.ndarray) -> None:
        """Called with each image (224, 224, 3) uint8 RGB, in the camera thread."""

    def on_lost(self, seconds: float) -> None:
        """Called when the physics was too late to catch up and gave up that much wall time."""


class World:
    """Owns a cell. The cell belongs to the physics thread: whatever else wants something of it leaves a job."""

    def __init__(self, task: str, seed: int, realtime_factor: float, camera_rate: float, listener: Listener) -> None:
        """Set up the scene and the cameras, and run.

        Args:
            task: name of the first task.
            seed: of its scene.
            realtime_factor: simulated seconds per second; 0 runs as fast as it can, and then waits for each image.
            camera_rate: Hz, of each camera.
            listener: hears what is measured.

        Raises:
            TaskError: no such task.
            SceneError: the robot's model is missing.
            GraphicsError: no OpenGL.
        """
        self._cell = Cell(task, seed)
        self._listener = listener
        self._factor, self._camera_rate = realtime_factor, camera_rate
        self._watchdog = Watchdog()
        self._step = 0
        self._episode = 0
        self._touched = False  # since the last report
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._seen = mujoco.MjData(self._cell.model)  # what the camera thread draws while the physics goes on
        self._seen_stamp = 0
        self._to_draw = threading.Semaphore(0)
        self._drawn = threading.Semaphore(1)
        self._eyes_open: Future[None] = Future()
        self._threads = [threading.Thread(target=self._draw, name="cameras", daemon=True)]
        self._threads[0].start()
        self._eyes_open.result()
        self._threads.append(threading.Thread(target=self._run, name="physics", daemon=True))
        self._threads[1].start()

    @property
    def alive(self) -> bool:
        """Whether both threads run; an error in one of them has been printed by Python."""
        return all(thread.is_alive() for thread in self._threads)

    def drive(self, joint_velocity: np.ndarray) -> None:
        """Follow that joint velocity (7,) rad/s until the next call, or until the driver's watchdog bites."""

        def job() -> None:
            self._cell.send(joint_velocity)
            self._watchdog.feed(self._seconds)

        self._jobs.put(job)

    def grip(self, closing: float) -> None:
        """Bring the gripper there, 0 open .. 1 closed."""
        self._jobs.put(lambda: self._cell.send_gripper(closing))

    def reset(self, task: str, seed: int) -> Future[Progress]:
        """Lay out a scene anew; an empty `task` is the present one. The future raises TaskError for an unknown one."""
        future: Future[Progress] = Future()

        def job() -> None:
            try:
                self._cell.reset(task or self._cell.task.name, seed)
            except ValueError as error:
                future.set_exception(error)
                return
            self._episode += 1
            future.set_result(self._report_progress())

        self._jobs.put(job)
        return future

    def close(self) -> None:
        """Stop both threads."""
        self._stop.set()
        self._to_draw.release()
        self._drawn.release()
        for thread in self._threads:
            thread.join(CLOSE_TIMEOUT)

    # Physics thread

    @property
    def _seconds(self) -> float:
        return self._step * TIMESTEP

    @property
    def _stamp(self) -> int:
        return self._step * round(TIMESTEP * 1e9)

    def _run(self) -> None:
        if self._factor:
            with contextlib.suppress(OSError):  # not everybody may
                os.nice(PHYSICS)
        pacer = Pacer(self._factor)
        joints, control, frames = (Beat(rate, TIMESTEP) for rate in (JOINT_RATE, CONTROL_RATE, self._camera_rate))
        while not self._stop.is_set():
            self._do_jobs()
            if self._watchdog.bites(self._seconds):
                self._cell.send(np.zeros(7))  # the drive decelerates within the arm's limits and then holds
            step = min(beat.next_step for beat in (joints, control, frames))
            self._cell.advance((step - self._step) * TIMESTEP)
            self._step = step
            if control.due(step):
                self._cell.step_success()
                self._report_progress()
            if joints.due(step):
                self._touched |= self._cell.touches_fixed()
                self._listener.on_joints(self._stamp, self._measure())
            if frames.due(step):
                self._show()
            lost = pacer.wait_until(self._seconds)
            if lost:
                self._listener.on_lost(lost)

    def _do_jobs(self) -> None:
        while True:
            try:
                self._jobs.get_nowait()()
            except queue.Empty:
                return

    def _measure(self) -> JointSample:
        velocity = float(self._cell.data.joint(_FINGER).qvel[0])
        return JointSample(self._cell.joint_position, self._cell.joint_velocity, self._cell.finger, velocity)

    def _report_progress(self) -> Progress:
        cell = self._cell
        progress = Progress(cell.task, cell.seed, self._episode, cell.steps, cell.success, self._touched)
        self._touched = False
        self._listener.on_progress(self._stamp, progress, cell.truth())
        return progress

    def _show(self) -> None:
        # In real time an image that would be late is left out; free-running, the physics waits for the cameras.
        if self._drawn.acquire(blocking=self._factor == 0.0):
            mujoco.mj_copyData(self._seen, self._cell.model, self._cell.data)  # 20 us
            self._seen_stamp = self._stamp
            self._to_draw.release()

    # Camera thread

    def _draw(self) -> None:
        try:
            eyes = Eyes(self._cell.model)
        except (AttributeError, ImportError, RuntimeError, mujoco.FatalError) as error:  # each platform fails otherwise
            self._eyes_open.set_exception(GraphicsError(error))
            return
        self._eyes_open.set_result(None)
        os.nice(DRAWING)
        while True:
            self._to_draw.acquire()
            if self._stop.is_set():
                break
            for camera in CAMERAS:
                self._listener.on_image(self._seen_stamp, camera, eyes.look(self._seen, camera))
            self._drawn.release()
        eyes.close()
