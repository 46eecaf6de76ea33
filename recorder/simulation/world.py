"""All that stands before the simulated camera, drawn at any time, with the truth about it.

In: an object, a side, a speed, a seed. Out: ideal colour, depth and labels, and a Truth of one frame. The table and
what stands on it do not move: they are drawn once, and hand, object and forearm are put before them by depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recorder.session import HandSide, Truth
from recorder.simulation.clutter import camera_from_table, clutter, lamp
from recorder.simulation.forearm import Forearm, camera_from_forearm, grow_forearm, reached_by
from recorder.simulation.grasp import Grasp, find_grasp
from recorder.simulation.motion import Motion, Speed
from recorder.simulation.scripted import MotionName, Scripted, chosen_motion
from recorder.simulation.skin import Skin, grow_skin
from scene.arrays import Booleans, Floats
from scene.camera import Camera
from scene.distance_field import build_distance_field
from scene.drawing import FOREARM, HAND, OBJECT, Body, Drawer, Drawing, Light, vertex_normals
from scene.hand_pose import HandPose, joints
from scene.object_model import ObjectModel
from scene.transforms import inverse

JOINT_DEPTH = 0.022
"""metres: a joint this far behind the skin that is seen at its pixel lies right under that skin"""


@dataclass(frozen=True)
class World:
    """A person who holds an object over a table; everything but the time."""

    model: ObjectModel
    skin: Skin
    forearm: Forearm
    grasp: Grasp
    motion: Motion | Scripted
    light: Light
    background: Drawing
    """of what does not move"""
    camera: Camera
    drawer: Drawer
    object_normals: Floats
    """(V, 3) object frame"""

    @staticmethod
    def build(
        model: ObjectModel,
        side: HandSide,
        speed: Speed,
        camera: Camera,
        drawer: Drawer,
        rng: np.random.Generator,
        *,
        motion: MotionName = "random",
    ) -> World:
        """Grows a hand, finds its grasp, sets the table."""
        person, hold, path, table = rng.spawn(4)
        skin = grow_skin(side, person)
        forearm = grow_forearm(skin, person)
        grasp = find_grasp(skin, model, build_distance_field(model), hold, arm_hand=reached_by(forearm))
        pose = camera_from_table(table)
        light = lamp(pose, table)
        background = drawer.draw(clutter(pose, table), camera, light)
        normals = vertex_normals(model.vertices, model.faces)
        moves = chosen_motion(motion, speed, path)
        return World(model, skin, forearm, grasp, moves, light, background, camera, drawer, normals)

    def at(self, time_s: float) -> tuple[Drawing, Truth]:
        """The ideal image at a time and the truth about it."""
        camera_from_hand, hand, thing, arm = self._bodies(time_s)
        hand_pose = HandPose(camera_from_hand, self.grasp.angles)
        drawing = over(self.drawer.draw([hand, thing, arm], self.camera, self.light), self.background)
        joints_camera = joints(self.skin.shape, hand_pose)
        truth = Truth(
            camera_from_object=thing.camera_from_body,
            joints_camera=joints_camera,
            joint_visible=self._joints_seen(joints_camera, drawing),
            camera_from_hand=camera_from_hand,
            hand_angles=self.grasp.angles,
            object_visibility=np.asarray(self._visibility(thing, drawing)),
            hand_visibility=np.asarray(self._visibility(hand, drawing)),
        )
        return drawing, truth

    def object_visibility(self, time_s: float, camera: Camera) -> float:
        """Visible / amodal pixels of the object at a time, within the image of any camera; 0 where it is not in it."""
        _, hand, thing, arm = self._bodies(time_s)
        visible = np.count_nonzero(self.drawer.draw([hand, thing, arm], camera, self.light).labels == OBJECT)
        amodal = np.count_nonzero(self.drawer.draw([thing], camera, self.light).labels)
        return float(visible / amodal) if amodal else 0.0

    def _bodies(self, time_s: float) -> tuple[Floats, Body, Body, Body]:
        """(4, 4) camera_from_hand; hand, object and arm."""
        held_hand = inverse(self.grasp.object_from_hand) @ np.append(self._middle, 1)
        camera_from_hand = self.motion.camera_from_hand(time_s, held_hand[:3])
        hand = self._hand(HandPose(camera_from_hand, self.grasp.angles))
        thing = self._object(camera_from_hand @ inverse(self.grasp.object_from_hand))
        return camera_from_hand, hand, thing, self._arm(camera_from_hand, self.motion.arm(time_s))

    @property
    def _middle(self) -> Floats:
        """(3,) of the object's box, object frame."""
        middle: Floats = (self.model.vertices.min(axis=0) + self.model.vertices.max(axis=0)) / 2
        return middle

    def _hand(self, pose: HandPose) -> Body:
        vertices_camera, faces = self.skin.surface.posed(pose), self.skin.surface.faces
        normals = vertex_normals(vertices_camera, faces)
        return Body(vertices_camera, faces, self.skin.vertex_colors, HAND, np.eye(4), normals)

    def _object(self, camera_from_object: Floats) -> Body:
        model = self.model
        return Body(model.vertices, model.faces, model.vertex_colors, OBJECT, camera_from_object, self.object_normals)

    def _arm(self, camera_from_hand: Floats, direction_camera: Floats) -> Body:
        arm, pose = self.forearm, camera_from_forearm(camera_from_hand, direction_camera)
        return Body(arm.vertices, arm.faces, arm.vertex_colors, FOREARM, pose, arm.normals)

    def _joints_seen(self, joints_camera: Floats, drawing: Drawing) -> Booleans:
        """(21,) whether the pixel at each joint shows the hand, close before the joint."""
        pixels = np.rint(np.nan_to_num(self.camera.project(joints_camera), nan=-1)).astype(int)
        inside: Booleans = np.all((pixels >= 0) & (pixels < (self.camera.width, self.camera.height)), axis=1)
        u, v = np.where(inside[:, None], pixels, 0).T
        behind = joints_camera[:, 2] - drawing.depth[v, u]
        seen: Booleans = inside & (drawing.labels[v, u] == HAND) & (behind < JOINT_DEPTH)
        return seen

    def _visibility(self, body: Body, drawing: Drawing) -> float:
        """Visible / amodal pixels; amodal counts what the image's border cuts off; NaN where nothing is amodal."""
        vertices_camera = body.vertices @ body.camera_from_body[:3, :3].T + body.camera_from_body[:3, 3]
        if vertices_camera[:, 2].min() <= 0:
            return float("nan")
        pixels = self.camera.project(vertices_camera)
        left, top = np.floor(pixels.min(axis=0)).astype(int) - 1
        width, height = np.ceil(np.ptp(pixels, axis=0)).astype(int) + 3
        alone = self.drawer.draw([body], self.camera.cropped(left, top, int(width), int(height)), self.light)
        amodal = np.count_nonzero(alone.labels)
        return np.count_nonzero(drawing.labels == body.label) / amodal if amodal else float("nan")


def over(near: Drawing, far: Drawing) -> Drawing:
    """Two drawings of one camera in one, at each pixel the nearer."""
    wins = (near.depth > 0) & ((far.depth == 0) | (near.depth < far.depth))
    color, depth, labels = far.color.copy(), far.depth.copy(), far.labels.copy()
    color[wins], depth[wins], labels[wins] = near.color[wins], near.depth[wins], near.labels[wins]
    return Drawing(color, depth, labels)
