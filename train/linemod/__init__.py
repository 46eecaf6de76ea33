"""The patches of LINEMOD objects on which the paper is measured: what they are, and endless renders that look alike.

patches         the folder's images and rotations
mesh_fit        where the mesh lies in the patches' object frame, and how large a metre is
view_bank       renders of the mesh near the training poses, as colour and normals, to be lit anew at every use
synthesis       a bank's views and the real training patches -> training images before other backgrounds
source          what a training run draws its batches from
"""
